import { Redis } from 'ioredis';
import { maskRedisUrl, PlatformError } from '#functions';
import { doorError } from './door-error.ts';

/** A reply of the door as it arrives: text, number, null or a list of those. */
export type Reply = string | number | null | readonly Reply[];

/** A reply whose texts are bytes, as they came. */
export type BytesReply = Buffer | string | number | null | readonly BytesReply[];

/** Argument of a command; bytes are sent as they are. */
export type CommandArgument = string | number | Buffer;

/** A connection to a RESP door. Errors of the door become PlatformErrors with the door's own code. */
export interface DoorClient extends AsyncDisposable {
  call(command: string, ...args: readonly CommandArgument[]): Promise<Reply>;
  /** Sends all commands at once and resolves with their replies in order. Rejects with the first error. */
  pipeline(commands: readonly (readonly CommandArgument[])[]): Promise<readonly Reply[]>;
  /** The same with replies whose texts are bytes. */
  bytes(commands: readonly (readonly CommandArgument[])[]): Promise<readonly BytesReply[]>;
  /** The address without its password, for messages. */
  readonly address: string;
}

const CONNECT_TIMEOUT_MS = 5_000;

/**
 * Connects to `redis://[user:password@]host:port`; `origin` is what gave the address, for messages. `patienceMs`: how long to wait
 * for the connection, and for each reply; left out: some seconds, and for ever. Throws DOOR_UNREACHABLE,
 * or what the door says to the credentials.
 */
export async function connectDoor(url: string, origin = '--url', patienceMs?: number): Promise<DoorClient> {
  const address = maskRedisUrl(url);
  if (!/^rediss?:\/\/\S+$/.test(url)) {
    throw new PlatformError(
      'ARGUMENT_INVALID',
      `${origin} is "${address}"; allowed is redis://[user:password@]host:port`,
    );
  }
  const redis = new Redis(url, {
    lazyConnect: true,
    retryStrategy: () => null,
    connectTimeout: patienceMs ?? CONNECT_TIMEOUT_MS,
    ...(patienceMs === undefined ? {} : { commandTimeout: patienceMs }),
    // Every reply has come when it disconnects; waiting for the other side would only hold the prompt back.
    disconnectTimeout: 1,
    maxRetriesPerRequest: 0,
    enableReadyCheck: false,
    disableClientInfo: true,
    protocol: 2,
    connectionName: 'regears-cli',
  });
  let connectionError: Error | undefined;
  redis.on('error', (error: Error) => {
    connectionError = error;
  });
  const fail = (error: unknown): PlatformError => doorError(error, address, connectionError);
  try {
    await redis.connect();
  } catch (error) {
    redis.disconnect();
    throw fail(error);
  }
  const pipelined = async (
    commands: readonly (readonly CommandArgument[])[],
    method: 'call' | 'callBuffer',
  ): Promise<readonly unknown[]> => {
    const replies = await redis
      .pipeline(commands.map((each) => [method, ...each] as [string, ...CommandArgument[]]))
      .exec();
    const failed = replies?.find(([error]) => error !== null)?.[0];
    if (failed) throw fail(failed);
    return (replies ?? []).map(([, reply]) => reply);
  };
  return {
    address,
    call: async (command, ...args) => {
      try {
        return (await redis.call(command, ...args)) as Reply;
      } catch (error) {
        throw fail(error);
      }
    },
    pipeline: async (commands) => (await pipelined(commands, 'call')) as readonly Reply[],
    bytes: async (commands) => (await pipelined(commands, 'callBuffer')) as readonly BytesReply[],
    async [Symbol.asyncDispose]() {
      redis.disconnect();
    },
  };
}

/** A flat list of names and values as a record. */
export function fieldsOf(reply: Reply): Record<string, Reply> {
  const list = listOf(reply);
  const fields: Record<string, Reply> = {};
  for (let at = 0; at + 1 < list.length; at += 2) fields[String(list[at])] = list[at + 1] ?? null;
  return fields;
}

/** A reply that is a list; anything else counts as an empty one. */
export function listOf(reply: Reply | undefined): readonly Reply[] {
  return Array.isArray(reply) ? reply : [];
}

/** A list of flat field lists as records. */
export function recordsOf(reply: Reply): readonly Record<string, Reply>[] {
  return listOf(reply).map(fieldsOf);
}

/** A scalar of a reply as a table cell. */
export function cellOf(reply: Reply | undefined): string | number | null {
  if (reply === undefined || reply === null || typeof reply === 'number') return reply ?? null;
  return typeof reply === 'string' ? reply : JSON.stringify(reply);
}
