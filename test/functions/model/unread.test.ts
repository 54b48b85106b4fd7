import type { Redis } from 'ioredis';
import { describe, expect, test } from 'vitest';
import { type Unread, unreadEntries } from '../../../functions/model/unread.ts';
import { startRedis } from '../../support/redis.ts';

function fields(row: unknown): Map<unknown, unknown> {
  const flat = row as unknown[];
  return new Map(flat.flatMap((name, at) => (at % 2 === 0 ? [[name, flat[at + 1]] as const] : [])));
}

async function look(
  client: Redis,
): Promise<{ readonly said: Unread | null; readonly lag: unknown; readonly real: number }> {
  const stream = fields(await client.call('XINFO', 'STREAM', 's'));
  const group = fields(((await client.call('XINFO', 'GROUPS', 's')) as unknown[])[0]);
  const real = await client.xrange('s', `(${String(group.get('last-delivered-id'))}`, '+');
  return { said: unreadEntries(stream, group), lag: group.get('lag'), real: real.length };
}

async function add(client: Redis, from: number, to: number): Promise<void> {
  for (let id = from; id <= to; id += 1) await client.xadd('s', `${id}-0`, 'f', 'v');
}

async function read(client: Redis, count: number): Promise<void> {
  await client.xreadgroup('GROUP', 'g', 'c', 'COUNT', count, 'STREAMS', 's', '>');
}

describe('entries a group has not read', () => {
  test('are all of them at first and none in the end, exactly', async () => {
    await using redis = await startRedis();
    const client = redis.client();
    await client.xgroup('CREATE', 's', 'g', '0', 'MKSTREAM');
    expect((await look(client)).said).toEqual({ atMost: 0, exact: true });
    await add(client, 1, 5);
    expect((await look(client)).said).toEqual({ atMost: 5, exact: true });
    await read(client, 2);
    expect((await look(client)).said).toEqual({ atMost: 3, exact: false });
    await read(client, 9);
    expect((await look(client)).said).toEqual({ atMost: 0, exact: true });
  });

  test('are bounded where Redis says nothing, after a deletion', async () => {
    await using redis = await startRedis();
    const client = redis.client();
    await client.xgroup('CREATE', 's', 'g', '0', 'MKSTREAM');
    await add(client, 1, 9);
    await read(client, 3);
    await client.xdel('s', '5-0', '9-0');
    expect(await look(client)).toEqual({ said: { atMost: 6, exact: false }, lag: null, real: 4 });
    await read(client, 9);
    expect((await look(client)).said).toEqual({ atMost: 0, exact: true });
  });

  test('are exact again when the last entries were deleted unread', async () => {
    await using redis = await startRedis();
    const client = redis.client();
    await client.xgroup('CREATE', 's', 'g', '0', 'MKSTREAM');
    await add(client, 1, 4);
    await read(client, 3);
    await client.xdel('s', '4-0');
    expect(await look(client)).toMatchObject({ said: { atMost: 0, exact: true }, real: 0 });
  });

  test('are never more than said after trims and restarts of the server', async () => {
    await using redis = await startRedis({ aof: true });
    const client = redis.client();
    await client.xgroup('CREATE', 's', 'g', '0', 'MKSTREAM');
    for (let round = 0; round < 4; round += 1) {
      await add(client, round * 10 + 1, round * 10 + 10);
      await read(client, 3 + round);
      if (round % 2 === 0) await redis.restart();
      else await client.xtrim('s', 'MAXLEN', 12);
      const { said, real } = await look(client);
      expect(said?.atMost).toBeGreaterThanOrEqual(real);
      if (said?.exact) expect(said.atMost).toBe(real);
    }
    await read(client, 100);
    expect(await look(client)).toMatchObject({ said: { atMost: 0, exact: true }, real: 0 });
  });

  test('are unknown when stream or group has gone', () => {
    expect(unreadEntries(new Map(), new Map())).toBeNull();
    expect(unreadEntries(new Map([['length', 3]]), new Map())).toBeNull();
  });
});

test('a lag that is too high is cut to what the stream holds, and one that is too low counts what is there', () => {
  const stream = new Map<unknown, unknown>([
    ['length', 5],
    ['first-entry', ['1-0', []]],
    ['last-entry', ['9-0', []]],
  ]);
  const group = (lag: number): Map<unknown, unknown> =>
    new Map<unknown, unknown>([
      ['last-delivered-id', '3-0'],
      ['lag', lag],
    ]);
  expect(unreadEntries(stream, group(700))).toEqual({ atMost: 4, exact: false });
  expect(unreadEntries(stream, group(0))).toEqual({ atMost: 1, exact: false });
});
