import { describe, expect, test } from 'vitest';
import { startRedis } from '../../../support/redis.ts';
import { openDoor } from '../support/door.ts';
import { command, rawClient } from '../support/raw-client.ts';

const USERS = [
  'default on >secret ~* &* +@all',
  'caller on >c ~* +fcall +ping',
  'writer on >w ~* +function +ping',
  'reader on >r ~* +function|list',
  'nobody on >n ~* +get',
];

describe('behind a Redis with ACL users', () => {
  test('commands of ours follow what the user may do with functions', async () => {
    await using redis = await startRedis({ aclUsers: USERS, password: undefined as never });
    await using door = await openDoor(redis.port, { password: 'secret' });
    const ask = async (user: string, password: string, hello: boolean): Promise<string[]> => {
      using client = await rawClient(door.port);
      client.send(hello ? command('HELLO', '2', 'AUTH', user, password) : command('AUTH', user, password));
      const requests = [
        ['RG.TRIGGER', 'f'],
        ['RG.FUNCTION', 'LOAD'],
        ['RG.FUNCTION', 'LIST'],
      ];
      client.send(requests.map((args) => command(...args)).join(''));
      return (await client.replies(4)).slice(1).map((reply) => reply.slice(0, reply.startsWith('*') ? 6 : 7));
    };
    const [yes, no] = ['*1\r\n$1', '-NOPERM'];
    expect(await ask('caller', 'c', false)).toEqual([yes, no, no]);
    expect(await ask('writer', 'w', true)).toEqual([no, '*1\r\n$4', '*1\r\n$4']);
    expect(await ask('reader', 'r', false)).toEqual([no, no, '*1\r\n$4']);
    expect(await ask('nobody', 'n', true)).toEqual([no, no, no]);
    expect(await ask('default', 'secret', false)).toEqual([yes, '*1\r\n$4', '*1\r\n$4']);
  });

  test('a stranger hears NOAUTH and is kept short until it has authenticated', async () => {
    await using redis = await startRedis({ aclUsers: USERS });
    await using door = await openDoor(redis.port, { password: 'secret' });
    using client = await rawClient(door.port);
    client.send(
      command('RG.TRIGGER', 'f') +
        command('GET', 'a') +
        command('AUTH', 'caller', 'wrong') +
        command('RG.TRIGGER', 'f'),
    );
    const replies = await client.replies(4);
    expect(replies.map((reply) => reply.split(' ')[0])).toEqual(['-NOAUTH', '-NOAUTH', '-WRONGPASS', '-NOAUTH']);
    client.send(command('RG.TRIGGER', 'x'.repeat(20_000)));
    expect(await client.closed()).toBe('-ERR Protocol error: unauthenticated bulk length\r\n');
    using many = await rawClient(door.port);
    many.send('*11\r\n');
    expect(await many.closed()).toBe('-ERR Protocol error: unauthenticated multibulk length\r\n');
    using known = await rawClient(door.port);
    known.send(command('AUTH', 'caller', 'c'));
    await known.replies(1);
    known.send(command('RG.TRIGGER', 'f', 'x'.repeat(20_000)));
    expect((await known.replies(1))[0]).toMatch(/^\*2/);
  });

  test('RESET makes a client a stranger again', async () => {
    await using redis = await startRedis({ aclUsers: USERS });
    await using door = await openDoor(redis.port, { password: 'secret' });
    using client = await rawClient(door.port);
    client.send(
      command('AUTH', 'caller', 'c') + command('RG.TRIGGER', 'f') + command('RESET') + command('RG.TRIGGER', 'f'),
    );
    const replies = await client.replies(4);
    expect(replies[1]).toMatch(/^\*1/);
    expect(replies[3]).toMatch(/^-NOAUTH/);
  });

  test('without ACL DRYRUN the settings say who may', async () => {
    await using redis = await startRedis({ aclUsers: USERS });
    const settings = { invokeUsers: ['nobody'], manageUsers: ['reader'] };
    await using door = await openDoor(redis.port, { password: 'secret', aclDryRun: false, settings });
    using client = await rawClient(door.port);
    client.send(command('AUTH', 'nobody', 'n') + command('RG.TRIGGER', 'f') + command('RG.FUNCTION', 'LOAD'));
    client.send(command('AUTH', 'reader', 'r') + command('RG.FUNCTION', 'LOAD'));
    const replies = await client.replies(5);
    expect(replies.map((reply) => reply[0])).toEqual(['+', '*', '-', '+', '*']);
  });
});

test('a door that others can reach is refused while Redis lets everybody in', async () => {
  await using redis = await startRedis();
  await expect(openDoor(redis.port, { host: '0.0.0.0' })).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
  await using closed = await startRedis({ password: 'secret' });
  await using door = await openDoor(closed.port, { host: '0.0.0.0', password: 'secret' });
  expect(door.port).toBeGreaterThan(0);
});
