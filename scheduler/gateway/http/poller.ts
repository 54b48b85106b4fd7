import type { Logger } from 'pino';

/** Reads something again and again, for everybody who wants it, and only while somebody does. Never twice at once. */
export interface Poller<Value> {
  /** Called with every value from now on; the newest one at once, if it is fresh. Returns what ends it. */
  follow(listener: Listener<Value>): () => void;
}

export interface Listener<Value> {
  onValue(value: Value): void;
  onTrouble?(error: unknown): void;
}

export interface PollerOptions<Value> {
  readonly read: () => Promise<Value>;
  readonly intervalMs: number;
  readonly log: Logger;
}

export function createPoller<Value>({ read, intervalMs, log }: PollerOptions<Value>): Poller<Value> {
  const listeners = new Set<Listener<Value>>();
  let newest: { readonly value: Value; readonly atMs: number } | null = null;
  let timer: NodeJS.Timeout | null = null;
  let isReading = false;

  async function look(): Promise<void> {
    if (isReading) return;
    isReading = true;
    try {
      const value = await read();
      newest = { value, atMs: performance.now() };
      for (const listener of [...listeners]) listener.onValue(value);
    } catch (error) {
      log.debug({ err: error }, 'what clients follow could not be read');
      for (const listener of [...listeners]) listener.onTrouble?.(error);
    }
    isReading = false;
  }

  return {
    follow(listener) {
      listeners.add(listener);
      if (newest !== null && performance.now() - newest.atMs < intervalMs) listener.onValue(newest.value);
      else void look();
      timer ??= setInterval(() => void look(), intervalMs);
      return () => {
        listeners.delete(listener);
        if (listeners.size > 0 || timer === null) return;
        clearInterval(timer);
        timer = null;
      };
    },
  };
}
