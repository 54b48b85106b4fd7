import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readEntry } from '../../../functions/redis/read-entry.ts';
import { startCluster } from '../../support/redis-cluster.ts';
import { startRedis, type TestRedis } from '../../support/redis.ts';

describe('an entry of another server', () => {
  let redis: TestRedis;
  beforeAll(async () => {
    redis = await startRedis({ aclUsers: ['app on >secret ~* &* +@all', 'reader on >r ~a* +xrange +type +ping'] });
    const client = redis.client();
    await client.call('XADD', 'a', '1-1', 'bytes', Buffer.from([0xff, 0x00, 0x0d, 0x0a]), 'bytes', 'twice');
    await client.call('XADD', 'a', '2-7', 'n', '2');
    await client.set('text', 'x');
  });
  afterAll(() => redis?.[Symbol.asyncDispose]());

  test('comes with its bytes, and with names that come twice', async () => {
    expect(await readEntry({ url: redis.url, stream: 'a', id: '1-1' })).toEqual({
      kind: 'entry',
      id: '1-1',
      fields: [
        [Buffer.from('bytes'), Buffer.from([0xff, 0x00, 0x0d, 0x0a])],
        [Buffer.from('bytes'), Buffer.from('twice')],
      ],
    });
  });

  test('may be the newest one, or be named by its time alone', async () => {
    expect(await readEntry({ url: redis.url, stream: 'a', id: null })).toMatchObject({ id: '2-7' });
    expect(await readEntry({ url: redis.url, stream: 'a', id: '2' })).toMatchObject({ id: '2-7' });
  });

  test.each([
    ['a', '9-9', 'stream'],
    ['nobody', '1-1', 'none'],
    ['text', '1-1', 'string'],
  ])('of %s with id %s is absent, and the key is a %s', async (stream, id, keyType) => {
    expect(await readEntry({ url: redis.url, stream, id })).toEqual({ kind: 'absent', keyType });
  });

  test('needs XRANGE and nothing that writes; what is refused is told as the server says it', async () => {
    const url = `redis://reader:r@${redis.host}:${redis.port}`;
    expect(await readEntry({ url, stream: 'a', id: '1-1' })).toMatchObject({ id: '1-1' });
    await expect(readEntry({ url, stream: 'b', id: '1-1' })).rejects.toMatchObject({
      code: 'REDIS_REPLY',
      message: expect.stringContaining('NOPERM'),
    });
  });

  test.each([
    ['redis://127.0.0.1:1', 'REDIS_UNREACHABLE', 'ECONNREFUSED'],
    ['http://127.0.0.1', 'REDIS_URL_INVALID', 'no Redis address'],
  ])('at %s ends with %s', async (url, code, text) => {
    await expect(readEntry({ url, stream: 'a', id: '1-1' })).rejects.toMatchObject({
      code,
      message: expect.stringContaining(text),
    });
  });

  test('with a wrong password is unreachable, and the password is not told', async () => {
    const url = `redis://reader:falsch@${redis.host}:${redis.port}`;
    const error = await readEntry({ url, stream: 'a', id: '1-1' }).catch((reason: Error) => reason);
    expect(error).toMatchObject({ code: 'REDIS_UNREACHABLE', message: expect.stringContaining('WRONGPASS') });
    expect(String((error as Error).message)).not.toContain('falsch');
  });
});

test('of a cluster is found from any of its nodes', async () => {
  await using cluster = await startCluster();
  const url = cluster.url.replace('redis+cluster://', 'redis://').split(',')[0] ?? '';
  const client = cluster.client();
  for (const stream of ['a', 'b', 'c', 'd']) {
    await client.call('XADD', stream, '1-1', 'f', stream);
    expect(await readEntry({ url, stream, id: '1-1' })).toMatchObject({
      fields: [[Buffer.from('f'), Buffer.from(stream)]],
    });
  }
});
