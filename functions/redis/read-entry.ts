import { Redis } from 'ioredis';
import { PlatformError } from '../errors.ts';
import { type ClientOptions, clientOptions } from './client-options.ts';
import { maskRedisUrl, parseRedisUrl } from './redis-url.ts';

export interface EntryAddress {
  /** As `parseRedisUrl` takes it; with `redis://host:port/2` also another database than 0. */
  readonly url: string;
  readonly stream: string;
  /** Of an entry; null = the newest one. */
  readonly id: string | null;
}

/** An entry, or what stands in its place. */
export type EntryFound =
  | {
      readonly kind: 'entry';
      readonly id: string;
      readonly fields: readonly (readonly [name: Buffer, value: Buffer])[];
    }
  | {
      readonly kind: 'absent' /** Of the key, as TYPE names it; `none` = there is no such key. */;
      readonly keyType: string;
    };

const CONNECT_MS = 5_000;
const COMMAND_MS = 10_000;
/** A cluster that is being rebuilt may send a client to and fro. */
const MOST_MOVES = 5;

/**
 * Reads one entry of any server and nothing else: it is sent XRANGE or XREVRANGE, and TYPE when there is no such entry. Nodes of a
 * cluster are asked in their turn. Errors: REDIS_URL_INVALID; REDIS_UNREACHABLE; REDIS_REPLY with what the server says, such as
 * NOPERM. Nothing stays open.
 */
export async function readEntry(address: EntryAddress): Promise<EntryFound> {
  let options = optionsOf(address.url);
  for (let moves = 0; ; moves += 1) {
    const found = await ask(options, address);
    if (!(found instanceof Error)) return found;
    const [, host, port] = /^MOVED \d+ (.*):(\d+)$/.exec(found.message) ?? [];
    if (host === undefined || moves >= MOST_MOVES) throw failed(address.url, found);
    // Without a host it is the one that was asked.
    options = { ...options, ...(host === '' ? {} : { host }), port: Number(port) };
  }
}

/** Returns what it failed with: an answer of the server, or why there was no connection. */
async function ask(options: ClientOptions, { stream, id }: EntryAddress): Promise<EntryFound | Error> {
  const redis = new Redis(options);
  let lost: Error | undefined;
  redis.on('error', (error: Error) => {
    lost = error;
  });
  try {
    const [entry] = (await rangeOf(redis, stream, id)) ?? [];
    if (entry !== undefined) return { kind: 'entry', id: entry[0].toString(), fields: pairsOf(entry[1]) };
    return { kind: 'absent', keyType: await redis.type(stream) };
  } catch (reason) {
    const error = reason as Error;
    return isReply(error) ? error : (lost ?? error);
  } finally {
    redis.disconnect();
  }
}

type RawEntry = readonly [id: Buffer, fields: readonly Buffer[]];

/** Null: the key holds something else. */
async function rangeOf(redis: Redis, stream: string, id: string | null): Promise<readonly RawEntry[] | null> {
  const [command, from, to] = id === null ? ['XREVRANGE', '+', '-'] : ['XRANGE', id, id];
  try {
    return (await redis.callBuffer(command as string, stream, from as string, to as string, 'COUNT', 1)) as RawEntry[];
  } catch (reason) {
    if (/^WRONGTYPE/.test((reason as Error).message)) return null;
    throw reason;
  }
}

function pairsOf(flat: readonly Buffer[]): readonly (readonly [Buffer, Buffer])[] {
  const empty = Buffer.alloc(0);
  return Array.from(
    { length: flat.length / 2 },
    (_, at) => [flat[2 * at] ?? empty, flat[2 * at + 1] ?? empty] as const,
  );
}

function optionsOf(url: string): ClientOptions {
  const [, before = url, database = '0', query = ''] = /^(rediss?:\/\/.*)\/(\d+)(\?.*)?$/i.exec(url) ?? [];
  const target = parseRedisUrl(`${before}${query}`);
  return {
    ...clientOptions(target, CONNECT_MS),
    ...(target.topology === 'cluster' ? { ...target.hosts[0] } : {}),
    db: Number(database),
    commandTimeout: COMMAND_MS,
    retryStrategy: () => null,
    maxRetriesPerRequest: 0,
    enableReadyCheck: false,
    disableClientInfo: true,
  };
}

function isReply(error: Error): boolean {
  return error.name === 'ReplyError';
}

function failed(url: string, reason: Error): PlatformError {
  const shown = maskRedisUrl(url);
  const { message } = reason;
  const details = { url: shown };
  if (isReply(reason) && !/^(WRONGPASS|NOAUTH)/.test(message)) {
    return new PlatformError('REDIS_REPLY', `${shown} answers: ${message}`, { cause: reason, details });
  }
  const text = `no Redis can be used at ${shown}: ${message}`;
  return new PlatformError('REDIS_UNREACHABLE', text, { cause: reason, retryable: true, details });
}
