import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { PlatformError } from '../../../functions/errors.ts';
import { createRegistryKeys } from '../../../functions/keys.ts';
import { DEFAULT_LIMITS } from '../../../functions/model/limits.ts';
import { parseManifest } from '../../../functions/model/parse-manifest.ts';
import { createRegistry, type RegistryOptions } from '../../../functions/registry/create-registry.ts';
import type { LoadFunctionRequest, Registry, RegistrySnapshot } from '../../../functions/registry/registry.ts';
import { startRedis, type TestRedis } from '../../support/redis.ts';
import { waitFor } from '../../support/wait.ts';
import { commandReport, streamReport } from './reports.ts';

const keys = createRegistryKeys('rg:');
let redis: TestRedis;
let client: ReturnType<TestRedis['client']>;

beforeAll(async () => {
  redis = await startRedis();
  client = redis.client();
});
beforeEach(async () => {
  await client.flushall();
});
afterAll(async () => {
  await redis[Symbol.asyncDispose]();
});

/** Sources of these tests say what they register: `// stream orders`, `// command greet`, one per line. */
function inspectComments(source: string): unknown[] {
  return [...source.matchAll(/^\/\/ (stream|command) (\S+)$/gm)].map(([, kind, name], index) =>
    kind === 'stream' ? streamReport(index, name ?? '') : commandReport(index, name ?? ''),
  );
}

let heads: Record<string, string> = {};
let clock = 1_000;

function openRegistry(overrides: Partial<RegistryOptions> = {}): Registry {
  return createRegistry({
    client,
    openSubscriber: () => redis.client(),
    keys,
    inspect: async ({ functionName, artifact }) => parseManifest(functionName, inspectComments(artifact.source)),
    streamHeads: async () => heads,
    limits: DEFAULT_LIMITS,
    settings: { region: 'eu' },
    caps: { versions: 100, artifactBytes: 100_000 },
    log: { warn: () => {} },
    pollMs: 50,
    nowMs: () => clock++,
    ...overrides,
  });
}

function request(name: string, source: string, more: Partial<LoadFunctionRequest> = {}): LoadFunctionRequest {
  return { name, source, language: 'js', description: null, activate: true, sourceMap: null, ...more };
}

const codeOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'resolved',
    (error: PlatformError) => error.code,
  );

test('a loaded function is version 1, in force, and readable with its artifact', async () => {
  await using registry = openRegistry();
  const result = await registry.load(request('clicks', '// stream events:*\n', { description: 'counts' }));
  expect(result).toMatchObject({
    name: 'clicks',
    version: 1,
    registrationIds: ['clicks/stream/events:*'],
    revision: 1,
  });
  const registration = registry.snapshot().registrations.get('clicks/stream/events:*');
  expect(registration).toMatchObject({ functionName: 'clicks', version: 1, state: 'running', stateReason: null });
  expect(registration?.routes).toMatchObject([{ version: 1, heads: {}, index: 0 }]);
  expect(await registry.list()).toMatchObject([
    { name: 'clicks', activeVersion: 1, latestVersion: 1, description: 'counts' },
  ]);
  expect(await registry.get('clicks')).toMatchObject({
    version: 1,
    sha256: result.sha256,
    artifact: { sha256: result.sha256 },
  });
  expect(await registry.loadable('clicks', 1)).toMatchObject({ version: 1, settings: { region: 'eu' } });
});

test('identical source makes no new version and no change; a new one routes from the heads on', async () => {
  await using registry = openRegistry();
  const first = await registry.load(request('f', '// stream s\n'));
  expect(await registry.load(request('f', '// stream s\n'))).toEqual(first);
  heads = { s: '5-0' };
  const second = await registry.load(request('f', '// stream s\n// v2'));
  expect(second).toMatchObject({ version: 2, revision: 2 });
  expect(registry.snapshot().registrations.get('f/stream/s')).toMatchObject({
    version: 2,
    routes: [{ version: 1 }, { version: 2, heads: { s: '5-0' } }],
  });
  heads = { s: '9-0' };
  expect(await registry.load(request('f', '// stream s\n'))).toMatchObject({ version: 1, revision: 3 });
  expect(
    registry
      .snapshot()
      .registrations.get('f/stream/s')
      ?.routes.map(({ version }) => version),
  ).toEqual([1, 2, 1]);
  expect(await registry.versions('f')).toHaveLength(2);
});

test('a new version takes the number asked for, if it is greater than all before', async () => {
  await using registry = openRegistry();
  expect(await registry.load(request('f', '// stream s\n', { number: 4 }))).toMatchObject({ version: 4 });
  expect(await registry.load(request('f', '// v2', { number: 2 }))).toMatchObject({ version: 5 });
  expect(await registry.load(request('f', '// v2', { number: 9 }))).toMatchObject({ version: 5 });
  expect(await registry.load(request('f', '// v3', { activate: false, number: 9 }))).toMatchObject({ version: 9 });
  expect(await registry.list()).toMatchObject([{ activeVersion: 5, latestVersion: 9 }]);
});

test('a version that starts paused is in force, and its registrations are not running', async () => {
  await using registry = openRegistry();
  await registry.load(request('f', '// stream s\n// command c\n', { startsPaused: true }));
  const states = [...registry.snapshot().registrations.values()].map(({ state, stateReason }) => [state, stateReason]);
  expect(states).toEqual([
    ['paused', 'loaded paused'],
    ['paused', 'loaded paused'],
  ]);
  await registry.load(request('f', '// stream s\n// command c\n'));
  expect([...registry.snapshot().registrations.values()].map(({ state }) => state)).toEqual(['running', 'running']);
});

test('NOACTIVATE stores a version and leaves the active one in force', async () => {
  await using registry = openRegistry();
  await registry.load(request('f', '// stream a\n'));
  expect(await registry.load(request('f', '// stream b\n', { activate: false }))).toMatchObject({ version: 2 });
  expect([...registry.snapshot().registrations.keys()]).toEqual(['f/stream/a']);
  expect(registry.snapshot().functions.get('f')).toMatchObject({ activeVersion: 1, latestVersion: 2 });
  expect(await registry.load(request('g', '// stream a\n', { activate: false }))).toMatchObject({ version: 1 });
  expect(registry.snapshot().functions.get('g')?.activeVersion).toBeNull();
});

test('a version without a registration takes that registration out of force', async () => {
  await using registry = openRegistry();
  await registry.load(request('f', '// stream a\n// stream b\n'));
  await registry.load(request('f', '// stream b\n'));
  const { registrations } = registry.snapshot();
  expect([...registrations.keys()]).toEqual(['f/stream/b']);
  expect(registrations.get('f/stream/b')?.routes.map(({ index }) => index)).toEqual([1, 0]);
  expect(await client.exists(keys.routes('f/stream/a'))).toBe(0);
});

test('a trigger of another function is refused and the old version stays whole', async () => {
  await using registry = openRegistry();
  await registry.load(request('a', '// command hi\n'));
  await registry.load(request('b', '// command lo\n'));
  const before = registry.snapshot();
  expect(await codeOf(registry.load(request('b', '// command lo\n// command hi\n')))).toBe('REGISTRATION_CONFLICT');
  expect((await registry.list()).find(({ name }) => name === 'b')).toMatchObject({ latestVersion: 1 });
  expect(registry.snapshot()).toEqual(before);
  expect(await registry.load(request('a', '// command hi\n// 2'))).toMatchObject({ version: 2 });
});

test('a function that replaces another takes its triggers over in one step', async () => {
  await using registry = openRegistry();
  await registry.load(request('old', '// command hi\n'));
  const result = await registry.load(request('new', '// command hi\n// n', { replaces: 'old', mustBeNew: true }));
  expect(result.revision).toBe(2);
  expect([...registry.snapshot().functions.keys()]).toEqual(['new']);
  expect(await codeOf(registry.load(request('x', '// command y\n', { replaces: 'gone' })))).toBe('FUNCTION_NOT_FOUND');
  expect(await codeOf(registry.load(request('new', '//', { mustBeNew: true })))).toBe('FUNCTION_EXISTS');
  expect(await codeOf(registry.load(request('new', '//', { replaces: 'new' })))).toBe('ARGUMENT_INVALID');
  await registry.load(request('new', '// nothing\n', { keepWhenEmpty: true }));
  expect([...registry.snapshot().registrations.keys()]).toEqual(['new/command/hi']);
});

test('a function that replaces another of the same source has that source', async () => {
  await using registry = openRegistry();
  await registry.load(request('old', '// command hi\n'));
  await registry.load(request('new', '// command hi\n', { replaces: 'old' }));
  expect((await registry.get('new')).artifact.source).toBe('// command hi\n');
  expect(await client.hlen(keys.artifacts)).toBe(1);
});

test('rollback goes to the version before, or to a named one, and says when there is none', async () => {
  await using registry = openRegistry();
  heads = { s: '7-7' };
  for (const n of [1, 2, 3]) await registry.load(request('f', `// stream s\n// ${n}`));
  expect(await registry.rollback('f')).toMatchObject({ version: 2, registrationIds: ['f/stream/s'] });
  expect(await registry.rollback('f')).toMatchObject({ version: 1 });
  expect(await codeOf(registry.rollback('f'))).toBe('VERSION_NOT_FOUND');
  expect(await registry.rollback('f', 3)).toMatchObject({ version: 3 });
  expect(await codeOf(registry.rollback('f', 4))).toBe('VERSION_NOT_FOUND');
  expect(await codeOf(registry.rollback('nope'))).toBe('FUNCTION_NOT_FOUND');
});

test('rollback from an entry id routes from that entry on and orders the groups back, once per token', async () => {
  await using registry = openRegistry();
  for (const [version, head] of ['0-0', '10-0', '50-0'].entries()) {
    heads = { s: head, t: head };
    await registry.load(request('f', `// stream s\n// ${version + 1}`));
  }
  await registry.rollback('f', 3, '20-0');
  const first = registry.snapshot().registrations.get('f/stream/s');
  const kept = `19-${2n ** 64n - 1n}`;
  expect(first?.routes.map(({ version }) => version)).toEqual([1, 2, 3]);
  expect(first?.routes.at(-1)).toMatchObject({ version: 3, heads: { s: kept, t: kept } });
  expect(first?.rewindTo?.id).toBe(kept);
  await registry.rollback('f', 1, '0');
  const second = registry.snapshot().registrations.get('f/stream/s');
  expect(second?.routes).toMatchObject([{ version: 1, heads: {} }]);
  expect(second?.rewindTo).toMatchObject({ id: '0-0' });
  expect(second?.rewindTo?.token).not.toBe(first?.rewindTo?.token);
  await registry.load(request('f', '// stream s\n// 2'));
  expect(registry.snapshot().registrations.get('f/stream/s')?.rewindTo).toBeUndefined();
  expect(await codeOf(registry.rollback('f', 1, 'yesterday'))).toBe('ARGUMENT_INVALID');
});

test('states are set for all or none, and the next load runs again', async () => {
  await using registry = openRegistry();
  await registry.load(request('f', '// stream a\n// stream b\n'));
  const ids = ['f/stream/a', 'f/stream/b'];
  expect(await codeOf(registry.setState([...ids, 'f/x'], 'paused', 'p'))).toBe('REGISTRATION_NOT_FOUND');
  const paused = await registry.setState(ids, 'paused', 'by hand');
  expect(registry.snapshot().registrations.get('f/stream/b')).toMatchObject({
    state: 'paused',
    stateReason: 'by hand',
  });
  expect(await registry.setState(ids, 'paused', 'by hand')).toEqual(paused);
  await registry.load(request('f', '// stream a\n// stream b\n'));
  expect(registry.snapshot().registrations.get('f/stream/a')).toMatchObject({ state: 'running', stateReason: null });
});

test('registrations whose work is given up say so until they run again', async () => {
  await using registry = openRegistry();
  await registry.load(request('f', '// stream a\n'));
  const { revision } = await registry.abort(['f/stream/a'], 'going');
  const aborted = { state: 'aborted', stateReason: 'going', abortsWork: true };
  expect(registry.snapshot().registrations.get('f/stream/a')).toMatchObject(aborted);
  expect(await registry.abort(['f/stream/a'], 'going')).toEqual({ revision });
  await registry.setState(['f/stream/a'], 'running', null);
  expect(registry.snapshot().registrations.get('f/stream/a')).not.toHaveProperty('abortsWork');
  expect(await codeOf(registry.abort(['f/x'], 'going'))).toBe('REGISTRATION_NOT_FOUND');
});

test('unregistering lasts until the next load and ends with no active version', async () => {
  await using registry = openRegistry();
  await registry.load(request('f', '// stream a\n// stream b\n'));
  await registry.unregister('f/stream/a');
  expect(registry.snapshot().functions.get('f')?.activeVersion).toBe(1);
  await registry.unregister('f/stream/b');
  expect(registry.snapshot().functions.get('f')?.activeVersion).toBeNull();
  expect(await codeOf(registry.unregister('f/stream/b'))).toBe('REGISTRATION_NOT_FOUND');
  expect(await codeOf(registry.rollback('f'))).toBe('VERSION_NOT_FOUND');
  await registry.load(request('f', '// stream a\n// stream b\n'));
  expect(registry.snapshot().registrations.size).toBe(2);
  expect(registry.snapshot().functions.get('f')?.activeVersion).toBe(1);
});

test('a removed function leaves nothing behind but its last number', async () => {
  await using registry = openRegistry();
  await registry.load(request('f', '// stream a\n// shared'));
  await registry.load(request('g', '// stream a\n// shared'));
  await registry.load(request('f', '// stream a\n// only f'));
  await registry.remove('f');
  expect(await client.hlen(keys.artifacts)).toBe(1);
  expect(await client.keys('*routes:f/*')).toEqual([]);
  expect(await client.exists(keys.versions('f'))).toBe(0);
  expect(await codeOf(registry.versions('f'))).toBe('FUNCTION_NOT_FOUND');
  expect(await codeOf(registry.remove('f'))).toBe('FUNCTION_NOT_FOUND');
  expect(await registry.load(request('f', '// stream a\n// only f'))).toMatchObject({ version: 3 });
  expect(await client.exists(keys.numbers)).toBe(0);
  await registry.remove('f');
  await registry.remove('g');
  expect(await client.exists(keys.artifacts)).toBe(0);
});

test('versions beyond the cap are dropped, oldest first, those still routed to are kept', async () => {
  await using registry = openRegistry({ caps: { versions: 3, artifactBytes: 1_000 } });
  heads = { s: '1-0' };
  await registry.load(request('f', '// stream s\n// 1'));
  for (const n of [2, 3, 4, 5]) await registry.load(request('f', `// stream s\n// ${n}`, { activate: false }));
  expect((await registry.versions('f')).map(({ version }) => version)).toEqual([1, 4, 5]);
  expect(await client.hlen(keys.artifacts)).toBe(3);
  expect(await codeOf(registry.loadable('f', 2))).toBe('VERSION_NOT_FOUND');
  expect(await codeOf(registry.load(request('f', `// ${'x'.repeat(1_000)}`)))).toBe('ARTIFACT_TOO_LARGE');
});

test('two registries that load at the same time lose nothing', async () => {
  await using one = openRegistry();
  await using two = openRegistry({ client: redis.client() });
  const loads = Array.from({ length: 8 }, (_, n) =>
    (n % 2 === 0 ? one : two).load(request('f', `// stream s\n// ${n}`)),
  );
  const results = await Promise.all(loads);
  expect(new Set(results.map(({ version }) => version)).size).toBe(8);
  expect((await one.list())[0]).toMatchObject({ latestVersion: 8 });
});

test('watchers get the present snapshot, then newer ones, one after another, also by polling alone', async () => {
  await using writer = openRegistry();
  await writer.load(request('f', '// stream s\n'));
  // A channel that nobody publishes to: only polling is left.
  await using reader = openRegistry({ client: redis.client(), keys: { ...keys, changes: 'silent' } });
  const seen: RegistrySnapshot[] = [];
  let inside = 0;
  let failures = 1;
  reader.watch(async (snapshot) => {
    inside += 1;
    expect(inside).toBe(1);
    await new Promise(setImmediate);
    inside -= 1;
    if (failures-- > 0) throw new Error('not yet');
    seen.push(snapshot);
  });
  await waitFor(() => seen.length === 1, { what: 'first snapshot, delivered again after a failure' });
  expect(seen[0]?.revision).toBe(1);
  await writer.load(request('g', '// stream s\n'));
  await waitFor(() => seen.at(-1)?.revision === 2, { what: 'second snapshot' });
  expect(seen.at(-1)?.functions.size).toBe(2);
});

test('news arrives by publish, before any poll, and again after the connection was lost', async () => {
  await using writer = openRegistry();
  const subscriber = redis.client();
  await using reader = openRegistry({ client: redis.client(), openSubscriber: () => subscriber, pollMs: 3_600_000 });
  const revisions: number[] = [];
  reader.watch(async ({ revision }) => {
    revisions.push(revision);
  });
  await waitFor(async () => (await client.pubsub('NUMSUB', keys.changes)).at(1) === 2, { what: 'subscriptions' });
  await writer.load(request('f', '// stream s\n'));
  await waitFor(() => revisions.at(-1) === 1, { what: 'news of revision 1' });
  subscriber.disconnect(true);
  await writer.load(request('g', '// stream s\n'));
  await waitFor(() => revisions.at(-1) === 2, { what: 'news of revision 2 after reconnecting' });
});

test('the same change sent twice is carried out once', async () => {
  await using registry = openRegistry();
  await registry.load(request('f', '// stream s\n'));
  const monitor = await redis.client().monitor();
  const sent: string[][] = [];
  monitor.on('monitor', (_time: string, args: string[]) => sent.push(args));
  await registry.load(request('f', '// stream s\n// 2'));
  const isCommit = ([name = '', ...args]: string[]): boolean => /^eval/i.test(name) && args.includes(keys.commit);
  const [command = '', ...args] = await waitFor(() => sent.find(isCommit), { what: 'the commit' });
  expect(await client.call(command, ...args)).toBe('2');
  expect(await registry.versions('f')).toHaveLength(2);
  expect(await client.get(keys.revision)).toBe('2');
});
