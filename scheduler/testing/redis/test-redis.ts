import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  connectRedis,
  decodeReply,
  encodeCommand,
  isReplyError,
  PlatformError,
  type RedisAccess,
  type ReplyValue,
} from '#functions';
import { startEmbeddedRedis } from '../../embedded/start-embedded-redis.ts';
import { createLog } from '../../log.ts';
import { type Argument, latin1Of, type Reply, replyOf } from '../values.ts';
import { type Snapshot, takeSnapshot } from './snapshot.ts';

/** A Redis that functions under test work on. */
export interface TestRedis extends AsyncDisposable {
  readonly url: string;
  /** The connections behind it. */
  readonly access: RedisAccess;
  /**
   * Sends a command and resolves with its reply. Errors: REDIS_REPLY with the server's words.
   * @example
   * await redis.call('HSET', 'user:1', 'name', 'Ann');
   */
  call(command: string, ...args: readonly Argument[]): Promise<Reply>;
  /** Deletes everything. Errors: ARGUMENT_INVALID for a server that was not started by the kit, unless it was opened with `mayClear`. */
  clear(): Promise<void>;
  /** Everything that is there, to be compared. */
  snapshot(): Promise<Snapshot>;
}

export interface OpenRedisOptions {
  /** True: `clear` may delete everything on this server, as `expectRetrySafe` does. Default false. */
  readonly mayClear?: boolean;
}

/** Begin of the keys of a platform, which functions do not touch. */
export const PLATFORM_PREFIX = 'rg:';

/**
 * Starts a server of its own from `redis-server` or `valkey-server` on the PATH, with nothing in it; disposing stops it and
 * removes what it has written. Errors: EMBEDDED_REDIS_FAILED with what to install.
 * @example
 * await using redis = await startRedis();
 */
export async function startRedis(): Promise<TestRedis> {
  await using opening = new AsyncDisposableStack();
  const dataDir = await mkdtemp(join(tmpdir(), 'regears-testing-'));
  opening.defer(() => rm(dataDir, { recursive: true, force: true, maxRetries: 5 }));
  const server = opening.use(await startEmbeddedRedis({ dataDir, log: createLog({ level: 'silent' }) }));
  const redis = opening.use(await openRedis(server.url, { mayClear: true }));
  const opened = opening.move();
  return { ...redis, [Symbol.asyncDispose]: () => opened.disposeAsync() };
}

/**
 * Connects to a running server. Errors: REDIS_URL_INVALID, REDIS_UNREACHABLE, REDIS_UNSUITABLE.
 * @example
 * await using redis = await openRedis('redis://127.0.0.1:6390', { mayClear: true });
 */
export async function openRedis(url: string, { mayClear = false }: OpenRedisOptions = {}): Promise<TestRedis> {
  await using opening = new AsyncDisposableStack();
  const access = opening.use(await connectRedis({ url }));
  const pipe = opening.use(access.openPipe('testing'));
  const send = (command: string, args: readonly string[]): Promise<string> =>
    pipe.send(encodeCommand([command, ...args]), 1);
  const opened = opening.move();
  return {
    url,
    access,
    async call(command, ...args) {
      const reply = replyOf(await send(command, args.map(latin1Of)));
      if (reply instanceof Error) throw refused(command, reply.message);
      return reply;
    },
    async clear() {
      if (!mayClear) {
        throw new PlatformError(
          'ARGUMENT_INVALID',
          `everything on ${access.shards()[0]?.host}:${access.shards()[0]?.port} would be deleted; open it with { mayClear: true } if that is meant`,
        );
      }
      await Promise.all(
        access
          .shards()
          .map((shard) => access.openClient(shard, 'testing'))
          .map(flush),
      );
    },
    snapshot: () =>
      takeSnapshot(async (command, ...args) => plain(command, await send(command, args)), PLATFORM_PREFIX),
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

async function flush(client: ReturnType<RedisAccess['openClient']>): Promise<void> {
  try {
    await client.flushall();
  } finally {
    client.disconnect();
  }
}

/** Latin1 text, as it came. */
function plain(command: string, resp: string): Reply {
  const value = decodeReply(resp);
  if (isReplyError(value)) throw refused(command, value.message);
  return value as Exclude<ReplyValue, { kind: 'error' }> as Reply;
}

function refused(command: string, message: string): PlatformError {
  return new PlatformError('REDIS_REPLY', `${command}: ${message}`);
}
