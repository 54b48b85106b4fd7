import type { Redis } from 'ioredis';
import { expect, test } from 'vitest';
import { type PlatformProcess, startPlatformProcess } from '../support/platform.ts';
import { startRedis } from '../support/redis.ts';
import { waitFor } from '../support/wait.ts';
import { childrenOf } from './flow.ts';

const ENTRIES = 30;
const PERMITS = 'rg:{fleet}:permits:one/stream/in:*';
const FLAGS = ['--limit-commands', '10000000', '--limit-execution-ms', '600s', '--limit-call-ms', '60s'];

/** Beats as long as it is inside, and leaves when it may; marks say who was where. */
const sourceOf = (mode: string): string => `
  GB('StreamReader').foreach(async (r) => {
    const node = await configGet('node');
    await execute('XADD', 'marks', '*', 'what', 'start', 'node', node, 'id', r.key + r.id);
    while ((await execute('EXISTS', 'go')) === 0) await execute('INCR', 'beat:' + node);
    await execute('XADD', 'marks', '*', 'what', 'end', 'node', node, 'id', r.key + r.id);
  }).register({ prefix: 'in:*', mode: '${mode}', concurrency: 1, maxAttempts: 0, onFailedPolicy: 'retry' });`;

interface Mark {
  readonly what: string;
  readonly node: string;
  readonly id: string;
}

async function marksOf(client: Redis): Promise<readonly Mark[]> {
  const rows = await client.xrange('marks', '-', '+');
  return rows.map(([, fields]) => ({ what: fields[1] ?? '', node: fields[3] ?? '', id: fields[5] ?? '' }));
}

async function endedIn(client: Redis): Promise<number> {
  return new Set((await marksOf(client)).filter(({ what }) => what === 'end').map(({ id }) => id)).size;
}

/** Never two at once, but for one that was cut off by the death of its node. */
function expectOneByOne(marks: readonly Mark[], dead: string): void {
  let open: Mark | null = null;
  for (const mark of marks) {
    if (mark.what === 'start') {
      expect(open === null || open.node === dead).toBe(true);
      open = mark;
    } else if (open !== null && mark.id === open.id && mark.node === open.node) open = null;
  }
}

async function waitsFor(client: Redis, consumer: string): Promise<void> {
  await waitFor(
    async () => {
      const rows = Object.entries(await client.hgetall(PERMITS));
      return rows.some(([holder, text]) => holder.startsWith(`${consumer}:`) && text.startsWith('0 '));
    },
    { what: `${consumer} waits for the permit`, deadlineMs: 60_000 },
  );
}

const startNamed = (redisUrl: string, name: string): Promise<PlatformProcess> =>
  startPlatformProcess({ redisUrl, flags: [...FLAGS, '--function-setting', `node=${name}`] });

const beats = async (client: Redis, node: string): Promise<number> => Number(await client.get(`beat:${node}`));

test.each(['async_local', 'sync', 'async'])(
  'the permit of a killed node comes back, and everything runs one by one on the other (mode %s)',
  { timeout: 180_000 },
  async (mode) => {
    await using redis = await startRedis();
    const client = redis.client();
    await using a = await startNamed(redis.url, 'a');
    for (let n = 0; n < ENTRIES; n += 1) await client.xadd(`in:${n % 3}`, '*', 'n', String(n));
    await a.door.call('RG.FUNCTION', 'LOAD', 'one', sourceOf(mode));
    await waitFor(async () => (await beats(client, 'a')) > 0, { what: 'a is inside', deadlineMs: 60_000 });
    await using b = await startNamed(redis.url, 'b');
    // Streams of mode sync all belong to a: a new one is b's.
    for (let n = 0; n < 3; n += 1) await client.xadd(`in:new${n}`, '*', 'n', String(n));
    if (mode !== 'sync') await waitsFor(client, 'n1');
    await a.kill();
    await waitFor(async () => (await beats(client, 'b')) > 0, { what: 'b is inside', deadlineMs: 60_000 });
    await client.set('go', '1');
    await waitFor(async () => (await endedIn(client)) === ENTRIES + 3, { what: 'all have run', deadlineMs: 60_000 });
    expectOneByOne(await marksOf(client), 'a');
    await waitFor(async () => (await client.exists(PERMITS)) === 0, { what: 'the permit is back' });
    expect(b.log()).not.toContain('"level":60');
  },
);

test('a suspended node that wakes up lets go of what it had in work, and waits for its turn', {
  timeout: 180_000,
}, async () => {
  await using redis = await startRedis();
  const client = redis.client();
  await using a = await startNamed(redis.url, 'a');
  for (let n = 0; n < ENTRIES; n += 1) await client.xadd(`in:${n % 3}`, '*', 'n', String(n));
  await a.door.call('RG.FUNCTION', 'LOAD', 'one', sourceOf('async_local'));
  await waitFor(async () => (await beats(client, 'a')) > 0, { what: 'a is inside', deadlineMs: 60_000 });
  await using b = await startNamed(redis.url, 'b');
  await waitsFor(client, 'n1');
  a.signal('SIGSTOP');
  await waitFor(async () => (await beats(client, 'b')) > 0, { what: 'b is inside', deadlineMs: 60_000 });
  a.signal('SIGCONT');
  await waitsFor(client, 'n0');
  const [ofA, ofB] = [await beats(client, 'a'), await beats(client, 'b')];
  await waitFor(async () => (await beats(client, 'b')) > ofB + 100, { what: 'b goes on', deadlineMs: 60_000 });
  expect(await beats(client, 'a')).toBe(ofA);
  await client.set('go', '1');
  await waitFor(async () => (await endedIn(client)) === ENTRIES, { what: 'all have run', deadlineMs: 60_000 });
  expectOneByOne(await marksOf(client), 'a');
  expect(b.log()).not.toContain('"level":60');
});

test('a sandbox that is killed gives its permits back with its executions', { timeout: 120_000 }, async () => {
  await using redis = await startRedis();
  const client = redis.client();
  await using node = await startPlatformProcess({ redisUrl: redis.url, flags: FLAGS });
  const source = `GB('StreamReader').foreach(async (r) => {
      await execute('INCR', 'began');
      while ((await execute('EXISTS', 'go')) === 0) await execute('INCR', 'beat');
      await execute('SADD', 'ran', r.id);
    }).register({ prefix: 'in:*', mode: 'async_local', concurrency: 2 });`;
  await node.door.call('RG.FUNCTION', 'LOAD', 'one', source);
  for (let n = 0; n < 10; n += 1) await client.xadd('in:0', '*', 'n', String(n));
  await waitFor(async () => (await client.get('began')) === '2', { what: 'two are inside' });
  for (const pid of await childrenOf(node.pid)) process.kill(pid, 'SIGKILL');
  await waitFor(async () => (await client.get('began')) === '4', { what: 'two are inside again', deadlineMs: 60_000 });
  await client.set('go', '1');
  await waitFor(async () => (await client.scard('ran')) === 10, { what: 'all have run', deadlineMs: 60_000 });
  await waitFor(async () => (await client.exists(PERMITS)) === 0, { what: 'the permits are back' });
});

test('the key of a call on a killed node is free for the next one', { timeout: 120_000 }, async () => {
  await using redis = await startRedis();
  const client = redis.client();
  const flags = [...FLAGS, '--heartbeat', '100ms', '--heartbeat-timeout', '1s', '--block', '500ms'];
  await using a = await startPlatformProcess({ redisUrl: redis.url, flags });
  await using b = await startPlatformProcess({ redisUrl: redis.url, flags });
  const source = `GB('CommandReader').foreach(async ([, , who]) => {
      await execute('SADD', 'inside', who);
      while (who === 'first') await execute('EXISTS', 'go');
    }).map(() => 'ran').register({ trigger: 'call', mode: 'async_local', key: (r) => r[1] });`;
  await a.door.call('RG.FUNCTION', 'LOAD', 'one', source);
  const first = a.door.call('RG.TRIGGER', 'call', 'k', 'first').catch(() => 'was cut off');
  await waitFor(async () => (await client.scard('inside')) === 1, { what: 'the first is inside' });
  const second = b.door.call('RG.TRIGGER', 'call', 'k', 'second');
  await waitFor(async () => (await client.keys('rg:{fleet}:permits:one*')).length === 1, { what: 'the key is taken' });
  // Replies of one connection come in order.
  const beside = b.door.duplicate();
  expect(await beside.call('RG.TRIGGER', 'call', 'other', 'third')).toEqual(['ran']);
  beside.disconnect();
  expect(await client.sismember('inside', 'second')).toBe(0);
  await a.kill();
  expect(await first).toBe('was cut off');
  expect(await second).toEqual(['ran']);
});
