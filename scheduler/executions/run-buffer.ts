import type { EndedEntries, GuestError, Invocation, Outcome } from '#runtime';
import { createErrorList } from './error-list.ts';

/** Executions that have ended since the last flush: of every registration the newest few, however many there were. */
export interface RunBuffer {
  /** Most that are kept of a registration; 0 = nothing is recorded. */
  most: number;
  readonly isEmpty: boolean;
  /** Runs `execute`, and notes what came of it. */
  around(invocation: Invocation, execute: (invocation: Invocation) => Promise<Outcome>): Promise<Outcome>;
  /** JSON texts by registration, oldest first; begins anew. */
  take(): ReadonlyMap<string, readonly string[]>;
}

const MOST_ERRORS = 10;
const MOST_CHARACTERS = 2_000;
/** A caller waits for these, and hears what came of them. */
const ANSWERED: ReadonlySet<Invocation['shape']> = new Set(['command', 'hook']);

export function createRunBuffer(node: string, most: number): RunBuffer {
  let runs = new Map<string, Noted[]>();
  const buffer: RunBuffer = {
    most,
    get isEmpty() {
      return runs.size === 0;
    },
    async around(invocation, execute) {
      if (buffer.most <= 0 || ANSWERED.has(invocation.shape)) return execute(invocation);
      const startedAtMs = Date.now();
      const errors: GuestError[] = [];
      const onEnded = (ended: EndedEntries): void => {
        for (const { error } of ended.failed) if (errors.length < MOST_ERRORS) errors.push(error);
        invocation.onEnded(ended);
      };
      const outcome = await execute({ ...invocation, onEnded });
      if (outcome.executions > 0) note(invocation, { outcome, errors, startedAtMs });
      return outcome;
    },
    take() {
      const taken = runs;
      runs = new Map();
      return new Map([...taken].map(([id, noted]) => [id, noted.slice(-buffer.most).map((one) => textOf(one, node))]));
    },
  };

  /** As text only what is written: under load most are not. */
  function note(invocation: Invocation, ended: Omit<Noted, 'functionName' | 'version' | 'key' | 'entries'>): void {
    const { registrationId, target, key, entryCount } = invocation;
    // Not the invocation itself, which has the payload.
    const one = { functionName: target.functionName, version: target.version, key, entries: entryCount, ...ended };
    const noted = runs.get(registrationId);
    if (noted === undefined) runs.set(registrationId, [one]);
    else if (noted.push(one) >= 2 * buffer.most) runs.set(registrationId, noted.slice(-buffer.most));
  }
  return buffer;
}

interface Noted {
  readonly functionName: string;
  readonly version: number;
  readonly key: string;
  readonly entries: number;
  readonly outcome: Outcome;
  readonly errors: readonly GuestError[];
  readonly startedAtMs: number;
}

function textOf({ functionName, version, key, entries, outcome, errors, startedAtMs }: Noted, node: string): string {
  const list = createErrorList();
  for (const error of errors) list.add(error);
  return JSON.stringify({
    functionName,
    version,
    key: Buffer.from(key, 'latin1').toString('utf8'),
    node,
    startedAtMs,
    durationMs: Math.round(outcome.durationMs),
    executions: outcome.executions,
    entries,
    done: outcome.done,
    filtered: outcome.filtered,
    failed: outcome.failed,
    errors: list.texts.map((text) => text.slice(0, MOST_CHARACTERS)),
  });
}
