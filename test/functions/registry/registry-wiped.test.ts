import { expect, test } from 'vitest';
import { createRegistryKeys } from '../../../functions/keys.ts';
import { DEFAULT_LIMITS } from '../../../functions/model/limits.ts';
import { parseManifest } from '../../../functions/model/parse-manifest.ts';
import { createRegistry } from '../../../functions/registry/create-registry.ts';
import type { Registry } from '../../../functions/registry/registry.ts';
import { startRedis, type TestRedis } from '../../support/redis.ts';
import { waitFor } from '../../support/wait.ts';
import { streamReport } from './reports.ts';

function openRegistry(redis: TestRedis, warnings: string[], pollMs: number): Registry {
  return createRegistry({
    client: redis.client(),
    openSubscriber: () => redis.client(),
    keys: createRegistryKeys('rg:'),
    inspect: async ({ functionName }) => parseManifest(functionName, [streamReport(0, 's')]),
    streamHeads: async () => ({}),
    limits: DEFAULT_LIMITS,
    settings: {},
    caps: { versions: 100, artifactBytes: 100_000 },
    log: { warn: (_, text) => void warnings.push(text) },
    pollMs,
  });
}

const load = (registry: Registry, source: string) =>
  registry.load({ name: 'f', source, language: 'js', description: null, activate: true, sourceMap: null });

test('a registry that was wiped out and filled again is told apart, although names and numbers are the same', async () => {
  await using redis = await startRedis();
  const warnings: string[] = [];
  await using writer = openRegistry(redis, [], 50);
  // Sees nothing between the wipe and the next load.
  await using reader = openRegistry(redis, warnings, 3_600_000);
  const seen: string[] = [];
  reader.watch(async ({ revision, registrations }) => {
    const source = registrations.size === 0 ? 'nothing' : (await reader.loadable('f', 1)).artifact.source;
    seen.push(`${revision} ${source}`);
  });
  const first = await load(writer, 'one');
  await waitFor(() => seen.at(-1) === '1 one', { what: 'the first registry' });
  await redis.client().flushall();
  const second = await load(writer, 'two');
  expect([second.version, second.revision]).toEqual([first.version, first.revision]);
  await waitFor(() => seen.at(-1) === '1 two', { what: 'the second registry' });
  expect(seen.slice(-3)).toEqual(['1 one', '0 nothing', '1 two']);
  expect(warnings.filter((text) => text.includes('vanished'))).toHaveLength(1);
});
