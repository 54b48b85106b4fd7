import type { LoadableVersion } from '../artifacts/artifact.ts';

export interface LoadableCacheOptions {
  readonly maxEntries: number;
  /** Sum of sources, code and maps. */
  readonly maxBytes: number;
  load(name: string, version: number): Promise<LoadableVersion>;
}

interface Entry {
  readonly loading: Promise<LoadableVersion>;
  bytes: number;
}

export interface LoadableCache {
  get(name: string, version: number): Promise<LoadableVersion>;
  /** Forgets everything, loads under way included: their numbers mean something else by now. */
  clear(): void;
}

/** Remembers versions that were loaded; those not asked for longest go first. A failed load is not remembered. */
export function createLoadableCache(options: LoadableCacheOptions): LoadableCache {
  const entries = new Map<string, Entry>();
  let bytes = 0;
  const drop = (key: string): void => {
    bytes -= entries.get(key)?.bytes ?? 0;
    entries.delete(key);
  };
  const shrink = (): void => {
    for (const key of entries.keys()) {
      if (entries.size <= options.maxEntries && bytes <= options.maxBytes) return;
      if (entries.size > 1) drop(key);
    }
  };
  const add = (key: string, loading: Promise<LoadableVersion>): void => {
    const entry: Entry = { loading, bytes: 0 };
    entries.set(key, entry);
    loading.then(
      ({ artifact }) => {
        if (entries.get(key) !== entry) return;
        entry.bytes = artifact.source.length + artifact.code.length + (artifact.sourceMap?.length ?? 0);
        bytes += entry.bytes;
        shrink();
      },
      () => {
        if (entries.get(key) === entry) drop(key);
      },
    );
    shrink();
  };
  return {
    get(name, version) {
      const key = `${name}\n${version}`;
      const known = entries.get(key);
      if (known !== undefined) {
        entries.delete(key);
        entries.set(key, known);
        return known.loading;
      }
      const loading = options.load(name, version);
      add(key, loading);
      return loading;
    },
    clear() {
      entries.clear();
      bytes = 0;
    },
  };
}
