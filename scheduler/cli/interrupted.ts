import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';

/** Whether somebody has asked the program to end, with Ctrl-C or a signal, since this was made. */
export interface Interruption extends Disposable {
  readonly signal: AbortSignal;
  /** Waits so long, or until it is asked for; true when it is. */
  within(ms: number): Promise<boolean>;
}

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

/** Listens for it until disposed of; the program then ends by itself, with everything closed. */
export function listenForInterruption(): Interruption {
  const asked = new AbortController();
  const ask = (): void => asked.abort();
  for (const name of SIGNALS) process.once(name, ask);
  return {
    signal: asked.signal,
    async within(ms) {
      await sleep(ms, undefined, { signal: asked.signal }).catch(() => undefined);
      return asked.signal.aborted;
    },
    [Symbol.dispose]() {
      for (const name of SIGNALS) process.off(name, ask);
    },
  };
}
