import { scanEntries, utf8FromLatin1 } from '#functions';
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
  /** Key of the stream; '' for commands, hooks and keys at a door. */
  readonly stream: string;
}

export interface WitnessedLine extends WitnessedPlace {
  /** Null: commands have none, and so have lines of no event. */
  readonly entryId: string | null;
  readonly level: string;
  readonly message: string;
}

export interface WitnessedFailure {
  readonly entryId: string | null;
  readonly kind: string;
  /** Its stack names the author's files and lines. */
  readonly error: GuestError;
}

export interface WitnessedRun extends WitnessedPlace {
  readonly registrationId: string;
  /** Ids of all entries of the batch; none for commands. */
  readonly entryIds: readonly string[];
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

/** The same `execute`, with a witness to it. */
export function witnessed(witness: Witness, execute: Execute): Execute {
  return async (invocation) => {
    const report = new RunReport(invocation, witness);
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
    witness.onLine({ functionName, version, registrationId: null, stream: '', entryId: null, level, message });
  };
}

class RunReport {
  readonly #given: Invocation;
  readonly #witness: Witness;
  readonly #recorder = createTrialRecorder();
  readonly #ids: readonly string[];
  readonly #failures: WitnessedFailure[] = [];

  constructor(given: Invocation, witness: Witness) {
    this.#given = given;
    this.#witness = witness;
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
    this.#witness.onRun({ ...place, ...counts, entryIds: this.#ids, failures, commands, commandsDropped });
  }

  #tellLine({ level, message, entry }: GuestLine): void {
    this.#witness.onLine({ ...this.#place(), entryId: this.#idOf(entry), level, message });
  }

  #note({ failed }: EndedEntries): void {
    for (const { index, kind, error } of failed) {
      if (kind !== 'interrupted') this.#failures.push({ entryId: this.#idOf(index), kind, error });
    }
  }

  #idOf(entry: number | undefined): string | null {
    return entry === undefined ? null : (this.#ids[entry] ?? null);
  }

  #place(): WitnessedPlace {
    const { target, registrationId, key } = this.#given;
    const { functionName, version } = target;
    return { functionName, version, registrationId, stream: utf8FromLatin1(key) };
  }
}
