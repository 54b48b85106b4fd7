import { expect, test } from 'vitest';
import type { LoadableVersion } from '../../../functions/artifacts/artifact.ts';
import { DEFAULT_LIMITS } from '../../../functions/model/limits.ts';
import { createLoadableCache } from '../../../functions/registry/loadable-cache.ts';

function version(functionName: string, number: number): LoadableVersion {
  const source = 'x'.repeat(10);
  const artifact = { sha256: '', language: 'js', source, code: source, sourceMap: null } as const;
  return { functionName, version: number, artifact, limits: DEFAULT_LIMITS, settings: {} };
}

test('a version is loaded once, also when asked for at the same time', async () => {
  const loads: number[] = [];
  const loadable = createLoadableCache({
    maxEntries: 2,
    maxBytes: 1_000,
    load: async (name, number) => {
      loads.push(number);
      return version(name, number);
    },
  });
  await Promise.all([loadable.get('f', 1), loadable.get('f', 1)]);
  await loadable.get('f', 2);
  await loadable.get('f', 1);
  await loadable.get('f', 3);
  await loadable.get('f', 1);
  expect(loads).toEqual([1, 2, 3]);
  await loadable.get('f', 2);
  expect(loads).toEqual([1, 2, 3, 2]);
});

test('bytes are bounded too, and a failed load is tried again', async () => {
  let loads = 0;
  const loadable = createLoadableCache({
    maxEntries: 100,
    maxBytes: 50,
    load: async (name, number) => {
      loads += 1;
      if (loads === 1) throw new Error('outage');
      return version(name, number);
    },
  });
  await expect(loadable.get('f', 1)).rejects.toThrow('outage');
  for (const number of [1, 2, 3]) await loadable.get('f', number);
  expect(loads).toBe(4);
  await loadable.get('f', 3);
  expect(loads).toBe(4);
  await loadable.get('f', 1);
  expect(loads).toBe(5);
});
