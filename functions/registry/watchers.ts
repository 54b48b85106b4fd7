import type { RegistrySnapshot } from './registry.ts';
import type { RegistryLog } from './registry-storage.ts';

export type SnapshotListener = (snapshot: RegistrySnapshot) => Promise<void>;

interface Watcher {
  readonly listener: SnapshotListener;
  delivered: RegistrySnapshot | null;
  running: Promise<void> | null;
  /** Comes before anything newer. */
  first: RegistrySnapshot | null;
}

export interface Watchers extends AsyncDisposable {
  add(listener: SnapshotListener): void;
  /** Everybody gets this snapshot, which is not skipped, before the newest one; `wake` begins with it. */
  restart(from: RegistrySnapshot): void;
  /** Sees to it that everybody gets the newest snapshot. */
  wake(): void;
}

/**
 * Calls every listener with the newest snapshot, one call after another; what came and went meanwhile is skipped. A listener
 * that rejects gets the newest snapshot again at the next `wake`. Disposing waits for the calls under way.
 * @param newest null while there is none.
 */
export function createWatchers(newest: () => RegistrySnapshot | null, log: RegistryLog): Watchers {
  const watchers = new Set<Watcher>();
  let closed = false;
  const deliver = async (watcher: Watcher): Promise<void> => {
    for (;;) {
      const snapshot = watcher.first ?? newest();
      if (closed || snapshot === null || watcher.delivered === snapshot) return;
      try {
        await watcher.listener(snapshot);
        watcher.delivered = snapshot;
        if (watcher.first === snapshot) watcher.first = null;
      } catch (reason) {
        log.warn({ err: reason, revision: snapshot.revision }, 'a change of the registry could not be applied');
        return;
      }
    }
  };
  const wakeOne = (watcher: Watcher): void => {
    watcher.running ??= deliver(watcher).finally(() => {
      watcher.running = null;
    });
  };
  return {
    add(listener) {
      const watcher: Watcher = { listener, delivered: null, running: null, first: null };
      watchers.add(watcher);
      wakeOne(watcher);
    },
    restart(from) {
      for (const watcher of watchers) watcher.first = from;
    },
    wake() {
      for (const watcher of watchers) wakeOne(watcher);
    },
    async [Symbol.asyncDispose]() {
      closed = true;
      await Promise.all([...watchers].map(({ running }) => running));
    },
  };
}
