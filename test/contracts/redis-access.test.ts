import { connect } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import {
  connectRedis,
  decodeReplies,
  decodeReply,
  encodeCommand,
  type RedisAccess,
  type ReplyValue,
  type Shard,
} from '#functions';
import { TOPOLOGIES, type Topology } from '../e2e/topology.ts';
import { startSentinel } from '../support/redis-sentinel.ts';
import { waitFor, waitForEvent } from '../support/wait.ts';

/** What `RedisAccess` promises, run over everything it can stand for. */
const ALL: Readonly<Record<string, () => Promise<Topology>>> = {
  ...TOPOLOGIES,
  'a primary found by a sentinel': async () => {
    const sentinel = await startSentinel();
    const client = sentinel.primary.client();
    return {
      url: sentinel.url,
      client: () => client,
      flush: async () => void (await client.flushall()),
      [Symbol.asyncDispose]: () => sentinel[Symbol.asyncDispose](),
    };
  },
};

const KEYS = Array.from({ length: 300 }, (_, n) => `k${n}`);

describe.each(Object.entries(ALL))('access to %s', (_, start) => {
  let topology: Topology;
  let access: RedisAccess;
  beforeAll(async () => {
    topology = await start();
    access = await connectRedis({ url: topology.url });
  });
  afterAll(async () => {
    await access?.[Symbol.asyncDispose]();
    await topology?.[Symbol.asyncDispose]();
  });
  beforeEach(() => topology.flush());

  const send = async (commands: readonly string[], groups?: [number, number][]): Promise<ReplyValue[]> => {
    await using pipe = access.openPipe('contract-pipe');
    const text = commands.map((command) => encodeCommand(command.split(' '))).join('');
    return decodeReplies(await pipe.send(text, commands.length, groups));
  };
  const clientsOf = async (shard: Shard): Promise<string> => {
    await using link = access.openRaw(shard, 'contract-asks');
    return String(decodeReply(await link.send(encodeCommand(['CLIENT', 'LIST']), 1)));
  };

  test('says what the server is and can do', () => {
    expect(access.facts).toMatchObject({ evictionPolicy: 'noeviction', aclDryRun: true });
    expect(access.facts.version).toMatch(/^\d+\.\d+\.\d+$/);
    expect(access.commands.keysOf(['MSET', 'a', '1', 'b', '2'])).toEqual(['a', 'b']);
    expect(new Set(access.shards().map(({ id }) => id)).size).toBe(access.shards().length);
  });

  test('a pipe answers in the order of the commands, whatever keys they have; errors are replies', async () => {
    expect(await send(KEYS.map((key) => `SET ${key} ${key}`))).toEqual(KEYS.map(() => 'OK'));
    const replies = await send([...KEYS.map((key) => `GET ${key}`), 'LPUSH k0 x', 'PING']);
    expect(replies.slice(0, KEYS.length)).toEqual(KEYS);
    expect(replies.slice(KEYS.length)).toMatchObject([{ code: 'WRONGTYPE' }, 'PONG']);
  });

  test('a group happens as a whole, with a reply for each command; one that is refused gives each its error', async () => {
    const commands = ['SET {g}1 1', 'INCR {g}1', 'INCR {g}1', 'INCR {g}1', 'NOSUCH {g}1', 'GET {g}1'];
    const replies = await send(commands, [
      [1, 2],
      [3, 4],
    ]);
    expect(replies).toMatchObject(['OK', 2, 3, { code: 'EXECABORT' }, { code: 'ERR' }, '3']);
  });

  test('what carries the tag of a key lives beside it', async () => {
    for (const key of KEYS.slice(0, 50)) {
      const own = `rg:{${access.tagOf(key)}}:own`;
      expect(access.shardOf(own)).toEqual(access.shardOf(key));
      const script = "return redis.call('SET', KEYS[1], '1') and redis.call('INCR', KEYS[2])";
      expect(await access.client.eval(script, 2, key, own)).toBeGreaterThan(0);
    }
  });

  test('a link to the shard of a key reads and writes it, under its own name, and is gone once closed', async () => {
    const shard = access.shardOf('linked');
    {
      await using link = access.openRaw(shard, 'contract-link');
      const text = encodeCommand(['SET', 'linked', 'v']) + encodeCommand(['GET', 'linked']);
      expect(decodeReplies(await link.send(text, 2))).toEqual(['OK', 'v']);
      expect(await clientsOf(shard)).toContain('name=contract-link');
    }
    await waitFor(async () => !(await clientsOf(shard)).includes('name=contract-link'), { what: 'the link is gone' });
  });

  test('a client of a shard hears what is published', async () => {
    const client = access.openClient(access.shardOf('channel'), 'contract-client');
    try {
      await client.subscribe('channel');
      const heard = waitForEvent(client, 'message');
      await access.client.publish('channel', 'hello');
      expect(await heard).toEqual(['channel', 'hello']);
    } finally {
      client.disconnect();
    }
  });

  test('the endpoint of a shard is where it listens', async () => {
    for (const shard of access.shards()) {
      const { host, port } = access.endpointOf(shard);
      const socket = connect({ host: host ?? '', port: port ?? 0 });
      socket.write('PING\r\n');
      expect(String(await waitForEvent(socket, 'data'))).toBe('+PONG\r\n');
      socket.destroy();
    }
  });
});
