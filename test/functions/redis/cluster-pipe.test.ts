import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { connectRedis, decodeReplies, encodeCommand, type RedisAccess, type ReplyValue, slotOfKey } from '#functions';
import { startCluster, type TestCluster } from '../../support/redis-cluster.ts';
import { waitFor } from '../../support/wait.ts';

let cluster: TestCluster;
let access: RedisAccess;

beforeAll(async () => {
  cluster = await startCluster({ primaries: 3 });
  access = await connectRedis({ url: cluster.url });
});
afterAll(async () => {
  await access?.[Symbol.asyncDispose]();
  await cluster?.[Symbol.asyncDispose]();
});

const text = (commands: readonly string[]): string =>
  commands.map((command) => encodeCommand(command.split(' '))).join('');

async function send(commands: readonly string[], groups?: [number, number][]): Promise<ReplyValue[]> {
  await using pipe = access.openPipe('pipe');
  return decodeReplies(await pipe.send(text(commands), commands.length, groups));
}

function ownerOf(key: string) {
  const shard = access.shardOf(key);
  const found = cluster.primaries.find((node) => node.port === shard.port);
  if (!found) throw new Error(`nobody owns ${key}`);
  return found;
}

function otherThan(node: unknown) {
  const found = cluster.primaries.find((other) => other !== node);
  if (!found) throw new Error('no other');
  return found;
}

describe('a pipe over a cluster', () => {
  beforeEach(() => cluster.flush());

  test('replies come in the order of the commands, whatever shard they are from', async () => {
    expect(access.facts.topology).toBe('cluster');
    expect(access.shards()).toHaveLength(3);
    const keys = Array.from({ length: 300 }, (_, i) => `k${i}`);
    expect(new Set(keys.map((key) => access.shardOf(key).id)).size).toBe(3);
    expect(await send(keys.map((key) => `SET ${key} ${key}`))).toEqual(keys.map(() => 'OK'));
    expect(await send([...keys.map((key) => `GET ${key}`), 'PING'])).toEqual([...keys, 'PONG']);
  });

  test('keys in different slots get an error that names them, the others their reply', async () => {
    const replies = await send(['SET a 1', 'MSET a 1 b 2', 'MSET {x}1 1 {x}2 2']);
    expect(replies).toMatchObject(['OK', { code: 'CROSS_SLOT' }, 'OK']);
    expect(replies[1]).toHaveProperty('message', expect.stringMatching(/"a" \(slot 15495\) and "b" \(slot 3300\)/));
  });

  test('groups run as transactions on the shard of their keys', async () => {
    const commands = ['SET {a}1 1', 'INCR {a}1', 'INCR {a}2', 'SET b 1', 'SET c 1', 'SET d 1', 'NOSUCH {a}1'];
    const groups: [number, number][] = [
      [1, 2],
      [3, 4],
      [5, 6],
    ];
    const crossSlot = { code: 'CROSS_SLOT' };
    const aborted = [{ code: 'EXECABORT' }, { code: 'ERR' }];
    expect(await send(commands, groups)).toMatchObject(['OK', 2, 1, crossSlot, crossSlot, ...aborted]);
    const unknown = ['SET {a}3 1', 'NOSUCH {a}1', 'PING', 'EXISTS {a}3'];
    expect(await send(unknown, [[0, 1]])).toMatchObject([...aborted, 'PONG', 0]);
  });

  test('tags hash to the slot of their key', () => {
    for (const key of ['a', 'b', '{x}y']) expect(slotOfKey(`rg:{${access.tagOf(key)}}:s`)).toBe(access.slotOf(key));
  });

  test('a moved slot is followed, single commands and transactions, and the change is told', async () => {
    let changes = 0;
    const stop = access.onTopologyChange(() => changes++);
    await using pipe = access.openPipe('pipe');
    await pipe.send(text(['RPUSH m 0']), 1);
    const from = ownerOf('m');
    await cluster.moveSlot(slotOfKey('m'), otherThan(from));
    const calls = Array.from({ length: 50 }, (_, i) =>
      pipe.send(text([`RPUSH m ${2 * i + 1}`, `RPUSH m ${2 * i + 2}`]), 2),
    );
    const group = pipe.send(text(['RPUSH m 101', 'RPUSH m 102']), 2, [[0, 1]]);
    await Promise.all([...calls, group]);
    const [list] = decodeReplies(await pipe.send(text(['LRANGE m 0 -1']), 1));
    expect(list).toEqual(Array.from({ length: 103 }, (_, i) => String(i)));
    await waitFor(() => changes > 0 && ownerOf('m') !== from, { what: 'the change of the owner' });
    stop();
  });

  test('order holds while a slot moves under a stream of calls', async () => {
    await using pipe = access.openPipe('pipe');
    const pending: Promise<string>[] = [];
    const push = (i: number): void => void pending.push(pipe.send(text([`RPUSH o ${i}`]), 1));
    let next = 0;
    let moving = true;
    const move = cluster.moveSlot(slotOfKey('o'), otherThan(ownerOf('o'))).finally(() => {
      moving = false;
    });
    while (moving || next < 200) {
      push(next++);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await move;
    await Promise.all(pending);
    const [list] = decodeReplies(await pipe.send(text(['LRANGE o 0 -1']), 1));
    expect(list).toEqual(Array.from({ length: next }, (_, i) => String(i)));
  });

  test('a slot on its way is served by ASK, transactions too', async () => {
    const slot = slotOfKey('{ask}1');
    const from = ownerOf('{ask}1');
    const to = otherThan(from);
    await to.client.call('CLUSTER', 'SETSLOT', String(slot), 'IMPORTING', from.nodeId);
    await from.client.call('CLUSTER', 'SETSLOT', String(slot), 'MIGRATING', to.nodeId);
    await using pipe = access.openPipe('pipe');
    const commands = ['SET {ask}1 1', 'INCR {ask}1', 'INCR {ask}2', 'GET {ask}1'];
    expect(decodeReplies(await pipe.send(text(commands), 4, [[1, 1]]))).toEqual(['OK', 2, 1, '2']);
    for (const node of [to, from]) await node.client.call('CLUSTER', 'SETSLOT', String(slot), 'NODE', to.nodeId);
    expect(decodeReplies(await pipe.send(text(['GET {ask}1']), 1))).toEqual(['2']);
  });

  test('a forged redirection leads nowhere', async () => {
    const script = "return redis.error_reply('MOVED 1 127.0.0.1:1')";
    await using pipe = access.openPipe('pipe');
    const reply = await pipe.send(encodeCommand(['EVAL', script, '1', 'f']), 1);
    expect(reply).toMatch(/^-MOVED 1 127\.0\.0\.1:1/);
    expect(decodeReplies(await pipe.send(text(['SET f 1']), 1))).toEqual(['OK']);
  });

  test('calls wait for a shard that comes back, those of others do not', async () => {
    await using pipe = access.openPipe('pipe');
    const node = ownerOf('w');
    const other = Array.from({ length: 100 }, (_, i) => `v${i}`).find((key) => ownerOf(key) !== node) ?? '';
    expect(decodeReplies(await pipe.send(text(['SET w 1', `SET ${other} 1`]), 2))).toEqual(['OK', 'OK']);
    await node.kill();
    const again = (command: string): Promise<string> =>
      pipe.send(text([command]), 1).catch(() => pipe.send(text([command]), 1));
    const waiting = again('INCR w');
    expect(await again(`INCR ${other}`)).toBe(':2\r\n');
    expect(await again('PING')).toBe('+PONG\r\n');
    await node.restart();
    expect(decodeReplies(await waiting)).toEqual([1]);
  });
});

test('a replica that takes over gets the calls that were waiting', async () => {
  await using own = await startCluster({ primaries: 3, replicas: 1 });
  await using connected = await connectRedis({ url: own.url });
  await using pipe = connected.openPipe('pipe');
  const [first] = own.primaries;
  const key =
    Array.from({ length: 100 }, (_, i) => `k${i}`).find((name) => connected.shardOf(name).port === first?.port) ?? '';
  await pipe.send(text([`SET ${key} 1`]), 1);
  await waitFor(async () => (await first?.client.wait(1, 1000)) === 1, { what: 'the replica to have it' });
  await first?.kill();
  let reply = '';
  await waitFor(
    async () => {
      reply = await pipe.send(text([`INCR ${key}`]), 1).catch(() => '');
      return reply !== '';
    },
    { what: 'the replica to answer' },
  );
  expect(reply).toBe(':2\r\n');
});
