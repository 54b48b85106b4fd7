import { Redis } from 'ioredis';
import { maskRedisUrl, PlatformError } from '#functions';
import type { SchedulerErrorCode } from '../errors.ts';

/** A reply of the door as it arrives: text, number, null or a list of those. */
export type Reply = string | number | null | readonly Reply[];

/** Argument of a command; bytes are sent as they are. */
export type CommandArgument = string | number | Buffer;

/** A connection to a RESP door. Errors of the door become PlatformErrors with the door's own code. */
export interface DoorClient extends AsyncDisposable {
  call(command: string, ...args: readonly CommandArgument[]): Promise<Reply>;
  /** Sends all commands at once and resolves with their replies in order. Rejects with the first error. */
  pipeline(commands: readonly (readonly CommandArgument[])[]): Promise<readonly Reply[]>;
  /** The address without its password, for messages. */
  readonly address: string;
}

const CONNECT_TIMEOUT_MS = 5_000;

/**
 * Connects to `redis://[user:password@]host:port`; `origin` is what gave the address, for messages. Throws DOOR_UNREACHABLE,
 * or what the door says to the credentials.
 */
export async function connectDoor(url: string, origin = '--url'): Promise<DoorClient> {
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
    connectTimeout: CONNECT_TIMEOUT_MS,
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
  return {
    address,
    call: async (command, ...args) => {
      try {
        return (await redis.call(command, ...args)) as Reply;
      } catch (error) {
        throw fail(error);
      }
    },
    pipeline: async (commands) => {
      const replies = await redis
        .pipeline(commands.map((each) => ['call', ...each] as [string, ...CommandArgument[]]))
        .exec();
      const failed = replies?.find(([error]) => error !== null)?.[0];
      if (failed) throw fail(failed);
      return (replies ?? []).map(([, reply]) => reply as Reply);
    },
    async [Symbol.asyncDispose]() {
      redis.disconnect();
    },
  };
}

/** `ERR [FUNCTION_NOT_FOUND] there is no …`: an error of the platform. `NOPERM …`: one of Redis, or one that Redis knows too. */
const PLATFORM_ERROR = /^ERR \[([A-Z_]+)\] (.*)$/s;
const REDIS_ERROR = /^([A-Z][A-Z0-9_]+) (.*)$/s;

/** What to do about errors whose text, made for every door, does not say it. */
const ADVICE: Readonly<Record<string, string>> = {
  FUNCTION_NOT_FOUND: 'see: regears list',
  VERSION_NOT_FOUND: 'see: regears versions <function>',
  REGISTRATION_NOT_FOUND: 'see: regears registrations',
  REGISTRATION_STOPPED: 'see: regears resume',
  NOAUTH: 'give user and password: --url redis://user:password@host:port',
  WRONGPASS: 'give user and password: --url redis://user:password@host:port',
};

/** An error reply keeps its code; everything else is a connection that failed. */
function doorError(error: unknown, address: string, connectionError: Error | undefined): PlatformError {
  const reason = error instanceof Error ? error : new Error(String(error));
  const refusal = [reason, connectionError].find((each) => each?.name === 'ReplyError')?.message;
  if (refusal !== undefined) {
    const [, code = 'ERR', message = refusal] = PLATFORM_ERROR.exec(refusal) ?? REDIS_ERROR.exec(refusal) ?? [];
    const advice = ADVICE[code];
    return new PlatformError(code, advice === undefined ? message : `${message.replace(/\.$/, '')}; ${advice}`, {
      cause: reason,
    });
  }
  const told = (connectionError ?? reason).message;
  const why = /RESP type/.test(told) ? 'what listens there does not speak RESP' : told;
  return new PlatformError<SchedulerErrorCode>(
    'DOOR_UNREACHABLE',
    `no connection to ${address}: ${why}. Is the platform running (regears start)? Another address: --url or REGEARS_URL`,
    { cause: reason, retryable: true },
  );
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
