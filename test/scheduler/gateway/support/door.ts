import { Redis } from 'ioredis';
import { pino } from 'pino';
import type { RedisAccess, Shard } from '../../../../functions/redis/redis-access.ts';
import type { Operation } from '../../../../scheduler/gateway/operations/operation.ts';
import { tableOf } from '../../../../scheduler/gateway/operations/operation-table.ts';
import { createRespServer, type RespServer } from '../../../../scheduler/gateway/resp/server.ts';
import type { DoorSettings } from '../../../../scheduler/settings.ts';
import type { CommandCalls } from '../../../../scheduler/triggers/command-calls.ts';

export const DOOR: DoorSettings = {
  maxConnections: 10_000,
  maxBulkBytes: 512 * 1024 * 1024,
  maxArguments: 1024 * 1024,
  maxOutputBytes: 64 * 1024 * 1024,
  invokeUsers: ['default'],
  manageUsers: ['default'],
};

/** Calls that get no answer before `release`. */
export interface HeldCalls {
  readonly size: number;
  release(): void;
}

export type EchoCalls = CommandCalls & {
  readonly seen: string[];
  /** From now on calls wait. */
  hold(): HeldCalls;
};

/** Answers all calls of a turn of the loop in the next one, each with its own arguments or as `answers` says. */
export function echoCalls(answers: Readonly<Record<string, string>> = {}): EchoCalls {
  const seen: string[] = [];
  let due: (() => void)[] = [];
  let isHolding = false;
  const answerAll = (): void => {
    if (isHolding) return;
    const now = due;
    due = [];
    for (const answer of now) answer();
  };
  return {
    seen,
    has: () => true,
    hold() {
      isHolding = true;
      return {
        get size() {
          return due.length;
        },
        release() {
          isHolding = false;
          answerAll();
        },
      };
    },
    call(name, args, answer) {
      if (seen.length < 100_000) seen.push(name);
      if (due.push(() => answer(answers[name] ?? args)) === 1) setImmediate(answerAll);
    },
  };
}

export const PING_OPERATION: Operation = {
  name: 'RG.FUNCTION',
  summary: 'answers its arguments',
  syntax: [],
  permission: (args) => (args[0] === 'LOAD' ? 'manage' : 'read'),
  run: async (args) => args,
};

export interface Door extends AsyncDisposable {
  readonly server: RespServer;
  readonly port: number;
  readonly rung: string[];
  readonly calls: EchoCalls;
  client(): Redis;
}

export interface DoorOptions {
  readonly settings?: Partial<DoorSettings>;
  readonly host?: string;
  readonly password?: string;
  readonly access?: RedisAccess;
  readonly aclDryRun?: boolean;
  readonly answers?: Readonly<Record<string, string>>;
}

/** A door before the Redis on `redisPort`, with calls that echo and one operation. */
export async function openDoor(redisPort: number, options: DoorOptions = {}): Promise<Door> {
  const own = options.access ? null : singleAccess(redisPort, options);
  const access = options.access ?? (own as RedisAccess);
  const rung: string[] = [];
  const calls = echoCalls(options.answers);
  const close = async (): Promise<void> => {
    if (own) (own.client as Redis).disconnect();
  };
  try {
    const server = await createRespServer({
      host: options.host ?? '127.0.0.1',
      port: 0,
      access,
      operations: tableOf([PING_OPERATION]),
      calls,
      ring: (key) => rung.push(key),
      door: { ...DOOR, ...options.settings },
      log: pino({ level: 'silent' }),
    });
    const clients: Redis[] = [];
    return {
      server,
      port: server.port,
      rung,
      calls,
      client() {
        const client = new Redis({ port: server.port, host: '127.0.0.1', retryStrategy: () => null });
        client.on('error', () => {});
        clients.push(client);
        return client;
      },
      async [Symbol.asyncDispose]() {
        for (const client of clients) client.disconnect();
        await server[Symbol.asyncDispose]();
        await close();
      },
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** The part of a RedisAccess that the door uses, for one server. */
function singleAccess(port: number, options: DoorOptions): RedisAccess {
  const shard: Shard = { id: 'single', host: '127.0.0.1', port };
  const password = options.password === undefined ? {} : { password: options.password };
  const client = new Redis({ port, host: '127.0.0.1', ...password });
  client.on('error', () => {});
  const facts = { topology: 'single', aclDryRun: options.aclDryRun ?? true };
  const endpoint = { host: '127.0.0.1', port };
  return { facts, client, shards: () => [shard], endpointOf: () => endpoint } as unknown as RedisAccess;
}
