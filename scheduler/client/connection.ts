import { RemoteError } from './errors.ts';
import { replyError } from './reply-error.ts';

/** What is needed of a client of ioredis: any object with this method will do. */
export interface CallingClient {
  call(command: string, ...args: string[]): Promise<unknown>;
}

/** What is needed of a client of node-redis. */
export interface SendingClient {
  sendCommand(args: string[]): Promise<unknown>;
}

/** A client that is connected to the RESP door of a node. It stays the caller's: nothing here closes it. */
export type RemoteRedis = CallingClient | SendingClient;

/** A reply: text, number, null or a list of those. */
export type Reply = string | number | null | readonly Reply[];

/** Sends commands to the door. */
export interface Connection {
  /** Errors: RemoteError with the platform's or Redis' code, CONNECTION_FAILED, PLATFORM_MISSING. */
  call(command: string, ...args: string[]): Promise<Reply>;
}

/** Errors: CLIENT_INVALID. */
export function connectionOf(redis: unknown): Connection {
  const send = senderOf(redis);
  return {
    async call(command, ...args) {
      try {
        return replyOf(await send([command, ...args]));
      } catch (error) {
        throw error instanceof RemoteError ? error : replyError(error);
      }
    },
  };
}

function senderOf(redis: unknown): (args: readonly [string, ...string[]]) => Promise<unknown> {
  // ioredis has a sendCommand, too, which takes something else.
  if (has(redis, 'call')) return ([command, ...args]) => redis.call(command, ...args);
  if (has(redis, 'sendCommand')) return (args) => redis.sendCommand([...args]);
  throw new RemoteError(
    'CLIENT_INVALID',
    'the first argument must be a Redis client with a method call(command, ...args), as of ioredis, or sendCommand([command, ...args]), as of node-redis',
  );
}

function has(value: unknown, method: 'call'): value is CallingClient;
function has(value: unknown, method: 'sendCommand'): value is SendingClient;
function has(value: unknown, method: string): boolean {
  const isObject = (typeof value === 'object' && value !== null) || typeof value === 'function';
  return isObject && typeof (value as Readonly<Record<string, unknown>>)[method] === 'function';
}

/** Clients may be told to give bytes for texts, and other types for numbers. */
function replyOf(value: unknown): Reply {
  if (Array.isArray(value)) return value.map(replyOf);
  if (value instanceof Uint8Array) return Buffer.from(value).toString();
  if (value instanceof Error) throw value;
  if (typeof value === 'bigint') return Number(value);
  if (typeof value === 'string' || typeof value === 'number' || value === null) return value;
  throw new RemoteError('REPLY_UNKNOWN', `a reply of type ${typeof value} came, which the platform does not send`);
}
