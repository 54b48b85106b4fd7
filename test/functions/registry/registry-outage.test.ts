import { expect, test } from 'vitest';
import { createRegistryKeys } from '../../../functions/keys.ts';
import { DEFAULT_LIMITS } from '../../../functions/model/limits.ts';
import { parseManifest } from '../../../functions/model/parse-manifest.ts';
import { createRegistry } from '../../../functions/registry/create-registry.ts';
import type { Registry } from '../../../functions/registry/registry.ts';
import { startRedis, type TestRedis } from '../../support/redis.ts';
import { waitFor } from '../../support/wait.ts';
import { streamReport } from './reports.ts';

function openRegistry(redis: TestRedis): Registry {
  return createRegistry({
    client: redis.client({ maxRetriesPerRequest: null }),
    openSubscriber: () => redis.client({ maxRetriesPerRequest: null }),
    keys: createRegistryKeys('rg:'),
    inspect: async ({ functionName }) => parseManifest(functionName, [streamReport(0, 's')]),
    streamHeads: async () => ({ s: '1-0' }),
    limits: DEFAULT_LIMITS,
    settings: {},
    caps: { versions: 10, artifactBytes: 10_000 },
    log: { warn: () => {} },
    pollMs: 50,
  });
}

const load = (registry: Registry, source: string) =>
  registry.load({ name: 'f', source, language: 'js', description: null, activate: true, sourceMap: null });

test('what was loaded is there after Redis was killed, and a change made meanwhile waits', async () => {
  await using redis = await startRedis({ aof: true });
  await using registry = openRegistry(redis);
  const revisions: number[] = [];
  registry.watch(async ({ revision }) => {
    revisions.push(revision);
  });
  const first = await load(registry, '// 1');
  await redis.kill();
  const waiting = load(registry, '// 2');
  await redis.restart();
  expect(await waiting).toMatchObject({ version: 2, revision: first.revision + 1 });
  await waitFor(() => revisions.at(-1) === first.revision + 1, { what: 'the news after the outage' });

  await redis.restart();
  await using fresh = openRegistry(redis);
  expect(await fresh.get('f')).toMatchObject({ version: 2, artifact: { source: '// 2' } });
  expect(
    fresh
      .snapshot()
      .registrations.get('f/stream/s')
      ?.routes.map(({ version }) => version),
  ).toEqual([1, 2]);
});

test('a listener under way is waited for when the registry closes, none is called afterwards', async () => {
  await using redis = await startRedis();
  const registry = openRegistry(redis);
  await load(registry, '// 1');
  let finish = (): void => {};
  const calls: string[] = [];
  registry.watch(async () => {
    calls.push('begun');
    await new Promise<void>((resolve) => {
      finish = resolve;
    });
    calls.push('ended');
  });
  await waitFor(() => calls.length === 1, { what: 'the call' });
  await load(registry, '// 2');
  const closing = registry[Symbol.asyncDispose]().then(() => calls.push('closed'));
  finish();
  await closing;
  expect(calls).toEqual(['begun', 'ended', 'closed']);
});
