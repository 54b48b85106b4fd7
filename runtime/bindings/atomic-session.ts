import { type CommandTable, PlatformError, type RawLink, replyStarts, type Shard } from '#functions';
import type { RuntimeErrorCode } from '../errors.ts';
import type { AtomicSession, AtomicSessions, CommandPolicy } from './binding.ts';
import { argumentsAt } from './command-scan.ts';
import { createLinkPool, type LinkLease, type LinkPool } from './link-pool.ts';

/** What sessions need of Redis. */
export interface SessionRedis {
  readonly commands: CommandTable;
  shards(): readonly Shard[];
  shardOf(key: string): Shard;
  slotOf(key: string): number;
  openRaw(shard: Shard, name: string): RawLink;
}

export interface AtomicSessionsOptions {
  readonly redis: SessionRedis;
  readonly policy: CommandPolicy;
  /** True: keys of one session must share a slot. */
  readonly cluster: boolean;
  /** Connections per shard; further sessions wait. Default 8. */
  readonly linksPerShard?: number;
  /** How long a session waits for a connection, ms. Default 10000. */
  readonly waitMs?: number;
}

const MULTI = '*1\r\n$5\r\nMULTI\r\n';
const EXEC = '*1\r\n$4\r\nEXEC\r\n';
const UNWATCH = '*1\r\n$7\r\nUNWATCH\r\n';
const QUEUED = '+QUEUED\r\n';

/** Optimistic transactions with reads, each on a connection that nobody else uses meanwhile. */
export function createAtomicSessions(options: AtomicSessionsOptions): AtomicSessions {
  const { redis, linksPerShard = 8, waitMs = 10_000 } = options;
  const pool = createLinkPool({ open: (shard) => redis.openRaw(shard, 'atomic'), linksPerShard, waitMs });
  return {
    open: (policy = options.policy) => new Session({ ...options, policy }, pool),
    [Symbol.asyncDispose]: () => pool[Symbol.asyncDispose](),
  };
}

class Session implements AtomicSession {
  readonly #options: AtomicSessionsOptions;
  readonly #pool: LinkPool;
  readonly #queued: string[] = [];
  #firstKey: string | null = null;
  #lease: LinkLease | null = null;
  #ended = false;
  /** The first refusal: as with MULTI, a transaction of which a part was refused does not happen at all. */
  #refused: string | null = null;

  constructor(options: AtomicSessionsOptions, pool: LinkPool) {
    this.#options = options;
    this.#pool = pool;
  }

  async command(command: string): Promise<string> {
    if (this.#ended) return ended();
    const refusal = this.#options.policy.checkOne(command);
    if (refusal !== null) return this.#refuse(refusal.reply);
    const args = argumentsAt(command, 0);
    const table = this.#options.redis.commands;
    const keys = table.keysOf(args);
    const stranger = this.#keyInOtherSlot(keys);
    if (stranger !== null) return this.#refuse(crossSlot(this.#firstKey ?? keys[0] ?? '', stranger));
    this.#firstKey ??= keys[0] ?? null;
    if (table.find(args[0] ?? '', args[1])?.flags.has('write') ?? true) {
      this.#queued.push(command);
      return QUEUED;
    }
    const lease = await this.#leased();
    if (keys.length === 0) return await lease.send(command, 1);
    const replies = await lease.send(encode(['WATCH', ...keys]) + command, 2);
    const starts = replyStarts(replies, 2);
    // A WATCH that failed (MOVED, no permission) must not look like a guarded read.
    return replies.startsWith('-') ? replies.slice(0, starts[1]) : replies.slice(starts[1]);
  }

  async commit(): Promise<string> {
    if (this.#ended) return ended();
    if (this.#refused !== null) {
      await this.discard();
      return this.#refused;
    }
    if (this.#queued.length === 0 && this.#lease === null) {
      this.#ended = true;
      return '*0\r\n';
    }
    const lease = await this.#leased();
    const count = this.#queued.length + 2;
    this.#ended = true;
    try {
      const replies = await lease.send(MULTI + this.#queued.join('') + EXEC, count);
      return execReply(replies, count);
    } finally {
      this.#release();
    }
  }

  async discard(): Promise<void> {
    this.#ended = true;
    const lease = this.#lease;
    if (lease === null) return;
    try {
      await lease.send(UNWATCH, 1);
    } catch {
      // The connection is gone and its watches with it.
    }
    this.#release();
  }

  #refuse(reply: string): string {
    this.#refused ??= reply;
    return reply;
  }

  async #leased(): Promise<LinkLease> {
    if (this.#lease) return this.#lease;
    const { redis } = this.#options;
    const shard = this.#firstKey === null ? redis.shards()[0] : redis.shardOf(this.#firstKey);
    if (!shard) throw new PlatformError('REDIS_LINK_LOST', 'no shard is known at present', { retryable: true });
    const lease = await this.#pool.acquire(shard);
    if (this.#ended) {
      lease.release();
      throw new PlatformError<RuntimeErrorCode>('ATOMIC_REFUSED', 'the session had been given up before it began');
    }
    this.#lease = lease;
    return lease;
  }

  #release(): void {
    this.#lease?.release();
    this.#lease = null;
  }

  #keyInOtherSlot(keys: readonly string[]): string | null {
    if (!this.#options.cluster) return null;
    const { redis } = this.#options;
    const first = this.#firstKey ?? keys[0];
    if (first === undefined) return null;
    const slot = redis.slotOf(first);
    return keys.find((key) => redis.slotOf(key) !== slot) ?? null;
  }
}

/** The reply of EXEC; when a command was refused while being queued, that command's error says more than EXECABORT. */
function execReply(replies: string, count: number): string {
  const starts = replyStarts(replies, count);
  const exec = replies.slice(starts[count - 1]);
  if (!exec.startsWith('-EXECABORT')) return exec;
  for (let position = 1; position < count - 1; position += 1) {
    if (replies.startsWith('-', starts[position])) return replies.slice(starts[position], starts[position + 1]);
  }
  return exec;
}

function encode(args: readonly string[]): string {
  return `*${args.length}\r\n${args.map((arg) => `$${arg.length}\r\n${arg}\r\n`).join('')}`;
}

function crossSlot(first: string, second: string): string {
  const names = [first, second].map((key) => `"${key.slice(0, 100).replace(/[^\x20-\x7e]/g, '?')}"`);
  return `-CROSS_SLOT the keys ${names.join(' and ')} of one atomic(...) are in different slots; give them the same {tag}\r\n`;
}

function ended(): string {
  return '-ERR this atomic(...) has ended\r\n';
}
