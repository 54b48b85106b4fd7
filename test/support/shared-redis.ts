import type { RedisOptions } from 'ioredis';
import { afterAll, beforeAll, beforeEach } from 'vitest';
import { startRedis, type TestRedis, type TestRedisOptions } from './redis.ts';

/** The server of a file's tests; there only while they run. */
export type SharedRedis = Pick<TestRedis, 'url' | 'port' | 'client' | 'restart'>;

/** One server for all tests of a file, emptied before each. To be called at the top of the file. */
export function sharedRedis(options: TestRedisOptions = {}): SharedRedis {
  let server: TestRedis | undefined;
  const running = (): TestRedis => {
    if (server === undefined) throw new Error('the server runs only while tests do');
    return server;
  };
  beforeAll(async () => {
    server = await startRedis(options);
  });
  beforeEach(async () => {
    await running().client().flushall();
  });
  afterAll(() => server?.[Symbol.asyncDispose]());
  return {
    get url() {
      return running().url;
    },
    get port() {
      return running().port;
    },
    client: (clientOptions?: RedisOptions) => running().client(clientOptions),
    restart: () => running().restart(),
  };
}
