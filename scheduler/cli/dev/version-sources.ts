import type { VersionSource } from '../watch/source-place.ts';

/** Sources of the versions that were deployed last: an error of an older version shows the older version's line. */
export interface VersionSources {
  set(functionName: string, version: number, source: VersionSource): void;
  get(functionName: string, version: number): VersionSource | null;
}

const MOST_KEPT = 50;

export function createVersionSources(): VersionSources {
  const kept = new Map<string, VersionSource>();
  return {
    set(functionName, version, source) {
      const name = `${functionName}@${version}`;
      kept.delete(name);
      kept.set(name, source);
      const [oldest] = kept.keys();
      if (kept.size > MOST_KEPT && oldest !== undefined) kept.delete(oldest);
    },
    get: (functionName, version) => kept.get(`${functionName}@${version}`) ?? null,
  };
}
