import type { Logger } from 'pino';
import type { Fleet } from '../fleet/fleet.ts';
import type { ExecutionRecord, ExecutionStore } from './execution-store.ts';

export interface SweepOptions {
  readonly store: Pick<ExecutionStore, 'running' | 'read'>;
  readonly fleet: Pick<Fleet, 'isAlive'>;
  /** How long nobody may work on an execution, ms, as of now. */
  readonly idleMs: () => Promise<number>;
  /** Ends, or starts anew, one that nobody works on. */
  readonly giveUp: (record: ExecutionRecord) => Promise<void>;
  readonly log: Logger;
}

interface Seen {
  readonly beat: string;
  readonly sinceMs: number;
}

const PERIOD_MS = 1_000;

/**
 * Finds executions on which nobody works any more: running ones that have not shown a sign of life for the idle time, as this
 * node's own clock measures it, and new ones whose node is gone. Every node does so; ending twice does nothing.
 */
export function createSweep({ store, fleet, idleMs, giveUp, log }: SweepOptions): Disposable {
  let seen = new Map<string, Seen>();
  let isBusy = false;

  async function look(): Promise<void> {
    const ids = await store.running();
    if (ids.length === 0) {
      seen.clear();
      return;
    }
    const limitMs = await idleMs();
    const next = new Map<string, Seen>();
    for (const id of ids) {
      const record = await store.read(id);
      if (record === null) continue;
      const before = seen.get(id);
      const now = performance.now();
      const isSame = before?.beat === record.beat;
      next.set(id, isSame ? before : { beat: record.beat, sinceMs: now });
      if (isSame && now - before.sinceMs > limitMs && isForsaken(record, fleet)) await giveUp(record);
    }
    seen = next;
  }

  const timer = setInterval(() => {
    if (isBusy) return;
    isBusy = true;
    look()
      .catch((error: unknown) => {
        // After an outage everybody has been silent: measure anew.
        seen.clear();
        log.debug({ err: error }, 'executions could not be looked at');
      })
      .finally(() => {
        isBusy = false;
      });
  }, PERIOD_MS).unref();
  return { [Symbol.dispose]: () => clearInterval(timer) };
}

/** One that waits for its turn is not idle, unless it waits for a node that is gone. */
function isForsaken({ status, plan }: ExecutionRecord, fleet: Pick<Fleet, 'isAlive'>): boolean {
  if (status === 'running') return true;
  return !fleet.isAlive(plan.consumer, plan.token);
}
