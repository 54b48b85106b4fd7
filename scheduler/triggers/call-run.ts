import type { EndedEntries, TraceContext } from '#runtime';
import { errorTitle } from '../consumer/failures.ts';
import type { RunCount } from '../journal/journal.ts';
import { guestErrorReply } from './command-reply.ts';

/** One `RG.TRIGGER` that waits for its answer. `args` is one RESP array, latin1. */
export interface Call {
  readonly args: string;
  readonly answer: (reply: string) => void;
  /** The trace that it belongs to. */
  readonly trace?: TraceContext;
  /** Of a hooked command: hands it on; resolves with the reply. */
  readonly next?: (command: string) => Promise<string>;
}

/** One batch in the sandbox: which call has had its answer. */
export class CallRun {
  readonly interrupted: Call[] = [];
  /** A command was handed on to Redis. */
  hasHandedOn = false;
  readonly #open: (Call | undefined)[];
  readonly #count: (run: RunCount) => void;
  #sinceMs = performance.now();

  constructor(calls: readonly Call[], options: { readonly count: (run: RunCount) => void }) {
    this.#open = [...calls];
    this.#count = (run) => options.count(run);
  }

  take({ done, filtered, failed, results }: EndedEntries): void {
    for (let i = 0; i < done.length; i += 1) this.#take(done[i] as number)?.answer(results?.[i] ?? '*0\r\n');
    for (let i = 0; i < filtered.length; i += 1) {
      this.#take(filtered[i] as number)?.answer(results?.[done.length + i] ?? '*0\r\n');
    }
    let failures = 0;
    let lastError: string | null = null;
    for (const { index, kind, error } of failed) {
      const call = this.#take(index);
      if (call === undefined) continue;
      if (kind === 'interrupted') {
        this.interrupted.push(call);
        continue;
      }
      failures += 1;
      lastError = errorTitle(error);
      call.answer(guestErrorReply(error));
    }
    const nowMs = performance.now();
    const durationMs = nowMs - this.#sinceMs;
    this.#sinceMs = nowMs;
    const success = done.length + filtered.length;
    if (success + failures > 0) this.#count({ success, failures, durationMs, lastError });
  }

  /** Answers whatever has not been reported. */
  failRest(reply: string): void {
    let failures = 0;
    for (let i = 0; i < this.#open.length; i += 1) {
      const call = this.#take(i);
      if (call === undefined) continue;
      failures += 1;
      call.answer(reply);
    }
    if (failures > 0) this.#count({ failures, lastError: reply.slice(1, -2) });
  }

  #take(index: number): Call | undefined {
    const call = this.#open[index];
    this.#open[index] = undefined;
    return call;
  }
}
