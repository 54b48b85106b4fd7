import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type PlatformProcess, startPlatformProcess } from '../support/platform.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';
import { waitFor } from '../support/wait.ts';
import { loadFunction } from './topology.ts';

let redis: TestRedis;
let nodes: readonly PlatformProcess[];
beforeAll(async () => {
  redis = await startRedis();
  const options = { redisUrl: redis.url, flags: ['--limit-commands', '10000000'] };
  nodes = await Promise.all([startPlatformProcess(options), startPlatformProcess(options)]);
});
afterAll(async () => {
  for (const node of nodes ?? []) await node[Symbol.asyncDispose]();
  await redis?.[Symbol.asyncDispose]();
});

const MODES = ['sync', 'async_local', 'async'] as const;
/** Goes on until the key `go:<name>` is there. */
const waiting = (name: string): string => `async () => {
  await execute('INCR', 'began:${name}');
  while (!(await execute('EXISTS', 'go:${name}')));
  await execute('INCR', 'ended:${name}');
}`;
const read = (key: string): Promise<string | null> => redis.client().get(key);
const door = (): Redis => (nodes[0] as PlatformProcess).door;

async function begun(name: string): Promise<void> {
  await waitFor(() => read(`began:${name}`), { what: `${name} is in work` });
}

async function loadStream(name: string, mode: string): Promise<string> {
  const source = `GB('StreamReader').foreach(${waiting(name)}).register({ prefix: '${name}', mode: '${mode}' });`;
  return (await loadFunction(door(), name, source)).ids[0] ?? '';
}

async function pending(stream: string, group: string): Promise<number> {
  const [count] = (await redis.client().xpending(stream, group)) as [number];
  return count;
}

describe.each(MODES)('entries in work, mode %s', (mode) => {
  test('are given up with ABORTPENDING, stay pending, and run when the function is back', async () => {
    const name = `aborted-${mode}`;
    const id = await loadStream(name, mode);
    for (let n = 0; n < 3; n += 1) await redis.client().xadd(name, '*', 'n', String(n));
    await begun(name);
    expect(await door().call('RG.UNREGISTER', id, 'abortpending')).toBe('OK');
    expect(await pending(name, id)).toBeGreaterThan(0);
    await redis.client().set(`go:${name}`, '1');
    await loadFunction(door(), 'other', "GB('CommandReader').map(() => 'pong').register({ trigger: 'ping' });");
    expect(await door().call('RG.TRIGGER', 'ping')).toEqual(['pong']);
    expect(await read(`ended:${name}`)).toBeNull();
    await loadStream(name, mode);
    await waitFor(async () => (await read(`ended:${name}`)) === '3', { what: 'all have run' });
    await waitFor(async () => (await pending(name, id)) === 0, { what: 'all are settled' });
  });

  test.each(['RG.UNREGISTER', 'RG.FUNCTION DELETE'])('end as usual without it: %s', async (command) => {
    const name = `${command.includes('DELETE') ? 'deleted' : 'removed'}-${mode}`;
    const id = await loadStream(name, mode);
    await redis.client().xadd(name, '*', 'n', '1');
    await begun(name);
    const removal = command === 'RG.UNREGISTER' ? ['RG.UNREGISTER', id] : ['RG.FUNCTION', 'DELETE', name];
    await door().call(...(removal as [string, ...string[]]));
    await redis.client().set(`go:${name}`, '1');
    await waitFor(() => read(`ended:${name}`), { what: 'the entry ends' });
    await waitFor(async () => (await pending(name, id)) === 0, { what: 'it is settled' });
    expect(await read(`ended:${name}`)).toBe('1');
  });
});

describe.each(MODES)('calls in work, mode %s', (mode) => {
  const load = (name: string): Promise<unknown> =>
    loadFunction(
      door(),
      name,
      `GB('CommandReader').map(${waiting(name)}).map(() => 'ended').register({ trigger: '${name}', mode: '${mode}' });`,
    );

  /** One call on each node, and their answers, errors included. */
  async function call(name: string): Promise<{ readonly answers: Promise<readonly unknown[]> }> {
    const clients = nodes.map(({ respPort }) => new Redis({ port: respPort }));
    const answers = clients.map((client) => client.call('RG.TRIGGER', name).catch((error: Error) => error.message));
    await begun(name);
    const all = Promise.all(answers).finally(() => {
      for (const client of clients) client.disconnect();
    });
    return { answers: all };
  }

  test('hear of it on every node when the function is deleted with ABORTPENDING', async () => {
    const name = `call-aborted-${mode}`;
    await load(name);
    const { answers } = await call(name);
    expect(await door().call('RG.FUNCTION', 'DELETE', name, 'ABORTPENDING')).toBe('OK');
    for (const answer of await answers) expect(answer).toMatch(/EXECUTION_ABORTED.*aborted|is aborted: about to be/);
    await redis.client().set(`go:${name}`, '1');
    await expect(door().call('RG.TRIGGER', name)).rejects.toThrow('subcommand not found');
    expect(await read(`ended:${name}`)).toBeNull();
  });

  test('are answered as usual without it', async () => {
    const name = `call-finished-${mode}`;
    await load(name);
    const { answers } = await call(name);
    await waitFor(async () => (await read(`began:${name}`)) === '2', { what: 'both are in work' });
    await door().call('RG.FUNCTION', 'DELETE', name);
    await redis.client().set(`go:${name}`, '1');
    expect(await answers).toEqual([['ended'], ['ended']]);
  });
});

test('clients of a hook hear of it', async () => {
  const source = `GB('CommandReader').map(${waiting('hook')}).register({ hook: 'append', mode: 'sync' });`;
  await loadFunction(door(), 'hook', source);
  const client = new Redis({ port: (nodes[1] as PlatformProcess).respPort });
  const answer = client.append('k', 'v').catch((error: Error) => error.message);
  await begun('hook');
  expect(await door().call('RG.FUNCTION', 'DELETE', 'hook', 'ABORTPENDING')).toBe('OK');
  expect(await answer).toMatch(/EXECUTION_ABORTED.*aborted/);
  expect(await client.append('k', 'v')).toBe(1);
  client.disconnect();
  expect(await read('ended:hook')).toBeNull();
});

test('a client whose write is followed by a function on keys has its reply', async () => {
  const source = `GB().foreach(${waiting('keys')}).register({ prefix: 'watched:*', mode: 'sync', readValue: false });`;
  await loadFunction(door(), 'keys', source);
  const client = new Redis({ port: (nodes[1] as PlatformProcess).respPort });
  const answer = client.set('watched:1', 'v');
  await begun('keys');
  expect(await door().call('RG.FUNCTION', 'DELETE', 'keys', 'ABORTPENDING')).toBe('OK');
  expect(await answer).toBe('OK');
  client.disconnect();
  expect(await read('ended:keys')).toBeNull();
});

test.each([false, true])('messages in work are given up, durable: %s', async (durable) => {
  const name = `channel-${durable}`;
  const source = `GB('PubSubReader').foreach(${waiting(name)}).register({ channels: ['${name}'], durable: ${durable} });`;
  await loadFunction(door(), name, source);
  await redis.client().publish(name, 'hello');
  await begun(name);
  expect(await door().call('RG.FUNCTION', 'DELETE', name, 'ABORTPENDING')).toBe('OK');
  await redis.client().set(`go:${name}`, '1');
  await loadFunction(door(), 'other', "GB('CommandReader').map(() => 'pong').register({ trigger: 'ping' });");
  expect(await door().call('RG.TRIGGER', 'ping')).toEqual(['pong']);
  expect(await read(`ended:${name}`)).toBeNull();
});

test('a registration that is not there is refused as in RedisGears', async () => {
  await expect(door().call('RG.UNREGISTER', 'nothing', 'ABORTPENDING')).rejects.toThrow('execution is not registered');
});
