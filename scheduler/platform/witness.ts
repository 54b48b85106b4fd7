import { decodeReply, latin1FromUtf8, type ReplyValue, scanEntries, utf8FromLatin1 } from '#functions';
import type { EndedEntries, GuestError, GuestLine, GuestLog, Invocation, Outcome } from '#runtime';
import { createTrialRecorder, type TrialCommand } from '../gateway/operations/trial-recorder.ts';

/**
 * Hears what runs on a node, as it runs: for a person who develops a function and wants to see all of it. A node without one does
 * nothing for it. What it throws would fail the batch, so it must not.
 */
export interface Witness {
  /** A line that a function wrote, before the entry that wrote it ends. */
  onLine(line: WitnessedLine): void;
  /** A batch has ended; entries that only have to run again (the node stops, Redis was lost) are not in it. */
  onRun(run: WitnessedRun): void;
}

/** Whose event it was. */
export interface WitnessedPlace {
  readonly functionName: string;
  /** 0: the source is no version yet. */
  readonly version: number;
  /** Null: the source wrote it while it was evaluated. */
  readonly registrationId: string | null;
  /** Key of the stream; '' for events that come from none, or from one that the platform keeps them in. */
  readonly stream: string;
}

export interface WitnessedLine extends WitnessedPlace {
  /** Null: commands have none, and so have lines of no event. */
  readonly entryId: string | null;
  /** The command with its arguments, or the event of a key; null for entries of streams, and lines of no event. */
  readonly subject: string | null;
  readonly level: string;
  readonly message: string;
}

export interface WitnessedFailure {
  readonly entryId: string | null;
  readonly subject: string | null;
  readonly kind: string;
  /** Its stack names the author's files and lines. */
  readonly error: GuestError;
}

export interface WitnessedRun extends WitnessedPlace {
  readonly registrationId: string;
  /** Ids of all entries of the batch; none for commands. */
  readonly entryIds: readonly string[];
  /** Commands and events of keys, in the order of the batch; none for entries. */
  readonly subjects: readonly string[];
  readonly entries: number;
  readonly done: number;
  readonly filtered: number;
  readonly failures: readonly WitnessedFailure[];
  /** Of a batch of one entry: what it sent to Redis. Bytes are latin1. */
  readonly commands: readonly TrialCommand[];
  readonly commandsDropped: number;
  readonly durationMs: number;
}

type Execute = (invocation: Invocation) => Promise<Outcome>;

/** The same `execute`, with a witness to it. @param prefix begin of the platform's own keys. */
export function witnessed(witness: Witness, execute: Execute, prefix: string): Execute {
  return async (invocation) => {
    const report = new RunReport(invocation, { witness, prefix });
    const outcome = await execute(report.invocation());
    report.end(outcome);
    return outcome;
  };
}

/**
 * Lines that a source writes while it is evaluated. Every sandbox process that loads it does so; told is what it wrote when it was
 * looked at before it became a version, which happens once.
 */
export function loadLines(witness: Witness): (line: GuestLog) => void {
  return ({ functionName, version, level, message, atLoad }) => {
    if (atLoad !== true || version !== 0) return;
    witness.onLine({ functionName, version, ...NOWHERE, level, message });
  };
}

const NOWHERE = { registrationId: null, stream: '', entryId: null, subject: null };
const LONGEST_SUBJECT = 200;

interface Seeing {
  readonly witness: Witness;
  readonly prefix: string;
}

/** Commands as they were typed, events of keys as `hset user:1`. */
function subjectsOf({ shape, payload }: Invocation): readonly string[] {
  const events = shape === 'stream' ? [] : decodeReply(payload);
  if (!Array.isArray(events)) return [];
  return (events as readonly ReplyValue[]).map((event) => {
    const words = Array.isArray(event) ? event.filter((word) => typeof word === 'string') : [];
    const [key = '', name = ''] = words;
    return utf8FromLatin1((shape === 'keys' ? [name, key] : words).join(' ')).slice(0, LONGEST_SUBJECT);
  });
}

class RunReport {
  readonly #given: Invocation;
  readonly #witness: Witness;
  readonly #stream: string;
  readonly #recorder = createTrialRecorder();
  readonly #ids: readonly string[];
  readonly #subjects: readonly string[];
  readonly #failures: WitnessedFailure[] = [];

  constructor(given: Invocation, { witness, prefix }: Seeing) {
    this.#given = given;
    this.#witness = witness;
    this.#stream = given.key.startsWith(latin1FromUtf8(prefix)) ? '' : utf8FromLatin1(given.key);
    this.#subjects = subjectsOf(given);
    this.#ids = given.shape === 'stream' ? scanEntries(given.payload).ids.map(utf8FromLatin1) : [];
  }

  invocation(): Invocation {
    const given = this.#given;
    const isOne = given.entryCount === 1 && given.around === undefined;
    return {
      ...given,
      ...(isOne ? { around: this.#recorder.around } : {}),
      onLogs: (lines) => {
        given.onLogs?.(lines);
        for (const line of lines) this.#tellLine(line);
      },
      onEnded: (ended) => {
        this.#note(ended);
        given.onEnded(ended);
      },
    };
  }

  end({ done, filtered, durationMs }: Outcome): void {
    const failures = this.#failures;
    if (done + filtered + failures.length === 0) return;
    const { commands, commandsDropped } = this.#recorder.record();
    const { registrationId, entryCount } = this.#given;
    const counts = { entries: entryCount, done, filtered, durationMs };
    const place = { ...this.#place(), registrationId };
    const events = { entryIds: this.#ids, subjects: this.#subjects };
    this.#witness.onRun({ ...place, ...counts, ...events, failures, commands, commandsDropped });
  }

  #tellLine({ level, message, entry }: GuestLine): void {
    this.#witness.onLine({ ...this.#place(), ...this.#eventOf(entry), level, message });
  }

  #note({ failed }: EndedEntries): void {
    for (const { index, kind, error } of failed) {
      if (kind !== 'interrupted') this.#failures.push({ ...this.#eventOf(index), kind, error });
    }
  }

  #eventOf(entry: number | undefined): Pick<WitnessedLine, 'entryId' | 'subject'> {
    if (entry === undefined) return { entryId: null, subject: null };
    return { entryId: this.#ids[entry] ?? null, subject: this.#subjects[entry] ?? null };
  }

  #place(): WitnessedPlace {
    const { target, registrationId } = this.#given;
    const { functionName, version } = target;
    return { functionName, version, registrationId, stream: this.#stream };
  }
}
