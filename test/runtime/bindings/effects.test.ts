import { expect, test } from 'vitest';
import { connectRedis, decodeReplies, encodeCommand } from '#functions';
import type { CommandGroups } from '../../../runtime/bindings/binding.ts';
import { createCommandPolicy } from '../../../runtime/bindings/command-policy.ts';
import { createEffects } from '../../../runtime/bindings/effects.ts';
import { startRedis } from '../../support/redis.ts';

async function withEffects(
  work: (
    send: (commands: string[][], more?: { groups?: CommandGroups; withheld?: number[] }) => Promise<string[]>,
    client: Awaited<ReturnType<typeof connectRedis>>['client'],
  ) => Promise<void>,
): Promise<void> {
  await using redis = await startRedis();
  await using access = await connectRedis({ url: redis.url });
  const policy = createCommandPolicy({ table: access.commands, prefix: 'rg:' });
  await using effects = createEffects({ pipe: access.openPipe('effects'), policy });
  await work(async (commands, { groups = [], withheld } = {}) => {
    const round = {
      commands: commands.map(encodeCommand).join(''),
      count: commands.length,
      owners: new Uint32Array(commands.length),
      groups,
      withheld: withheld ? new Set(withheld) : null,
    };
    const values = decodeReplies(await effects.send(round));
    return values.map((value) => (typeof value === 'object' ? JSON.stringify(value) : String(value)));
  }, access.client);
}

test('refused commands are not sent and have an error where their reply would be', async () => {
  await withEffects(async (send, client) => {
    await client.set('before', '1');
    const replies = await send([['INCR', 'a'], ['FLUSHALL'], ['INCR', 'a'], ['GET', 'rg:x'], ['INCR', 'a']]);
    expect(replies).toHaveLength(5);
    expect([replies[0], replies[2], replies[4]]).toEqual(['1', '2', '3']);
    expect(replies[1]).toContain('COMMAND_FORBIDDEN FLUSHALL');
    expect(replies[3]).toContain('belong to the platform');
    expect(await client.get('before')).toBe('1');
  });
});

test('a round of refused commands sends nothing', async () => {
  await withEffects(async (send) => {
    expect(await send([['FLUSHALL'], ['SHUTDOWN']])).toEqual([
      expect.stringContaining('FLUSHALL'),
      expect.stringContaining('SHUTDOWN'),
    ]);
  });
});

test('a group with a refused command is not sent at all, other groups are', async () => {
  await withEffects(async (send, client) => {
    const replies = await send([['INCR', 'lone'], ['INCR', 'bad'], ['FLUSHALL'], ['INCR', 'good'], ['INCR', 'good']], {
      groups: [
        [1, 2],
        [3, 4],
      ],
    });
    expect(replies[0]).toBe('1');
    expect(replies[1]).toContain('FLUSHALL');
    expect(replies[2]).toContain('FLUSHALL');
    expect(replies.slice(3)).toEqual(['1', '2']);
    expect(await client.get('bad')).toBeNull();
    expect(await client.get('good')).toBe('2');
  });
});

test('commands of entries that were given up are withheld', async () => {
  await withEffects(async (send, client) => {
    const replies = await send(
      [
        ['INCR', 'a'],
        ['INCR', 'b'],
        ['INCR', 'a'],
      ],
      { withheld: [1] },
    );
    expect(replies[1]).toContain('CANCELLED');
    expect([replies[0], replies[2]]).toEqual(['1', '2']);
    expect(await client.get('b')).toBeNull();
  });
});
