import type { RegistrySnapshot } from './registry.ts';
import type { RegistryLog } from './registry-storage.ts';

export type SnapshotListener = (snapshot: RegistrySnapshot) => Promise<void>;

interface Watcher {
  readonly listener: SnapshotListener;
  delivered: RegistrySnapshot | null;
  running: Promise<void> | null;
}

export interface Watchers extends AsyncDisposable {
  add(listener: SnapshotListener): void;
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
      const snapshot = newest();
      if (closed || snapshot === null || watcher.delivered === snapshot) return;
      try {
        await watcher.listener(snapshot);
        watcher.delivered = snapshot;
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
      const watcher: Watcher = { listener, delivered: null, running: null };
      watchers.add(watcher);
      wakeOne(watcher);
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
