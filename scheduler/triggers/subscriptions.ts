import type { Redis } from 'ioredis';
import type { Logger } from 'pino';
import { latin1FromUtf8, type RedisAccess, type Shard } from '#functions';

/** A published message as this node has heard it. */
export interface Heard {
  readonly kind: 'channel' | 'pattern' | 'sharded';
  /** What was subscribed to: the channel itself, or the pattern; as the registration names it. */
  readonly source: string;
  /** latin1. */
  readonly channel: string;
  /** latin1. */
  readonly message: string;
}

export interface Wanted {
  readonly channels: ReadonlySet<string>;
  readonly patterns: ReadonlySet<string>;
  readonly sharded: ReadonlySet<string>;
}

/** What a node is subscribed to: one connection for channels and patterns, one per shard for sharded channels. */
export interface Subscriptions extends AsyncDisposable {
  /** Brings them to exactly these; resolves when the server has confirmed. Rejects when it has not: then set them again. */
  set(wanted: Wanted): Promise<void>;
  /** False from a change on, of what is wanted or of shards, until the server has confirmed. */
  readonly isInForce: boolean;
}

export interface SubscriptionsOptions {
  readonly access: Pick<RedisAccess, 'shards' | 'shardOf' | 'openClient' | 'onTopologyChange'>;
  readonly onMessage: (heard: Heard) => void;
  readonly log: Logger;
}

/** One connection and what it is subscribed to. */
interface Line {
  readonly shardId: string;
  readonly client: Redis;
  readonly names: { channel: Set<string>; pattern: Set<string>; sharded: Set<string> };
}

type Kind = Heard['kind'];

const KINDS: readonly Kind[] = ['channel', 'pattern', 'sharded'];
const NOTHING: Wanted = { channels: new Set(), patterns: new Set(), sharded: new Set() };

export function createSubscriptions(options: SubscriptionsOptions): Subscriptions {
  return new SubscriptionKeeper(options);
}

class SubscriptionKeeper implements Subscriptions {
  readonly #options: SubscriptionsOptions;
  readonly #lines = new Map<string, Line>();
  readonly #forgetTopology: () => void;
  #wanted: Wanted = NOTHING;
  #changing: Promise<void> = Promise.resolve();
  #isInForce = true;
  #closed = false;

  constructor(options: SubscriptionsOptions) {
    this.#options = options;
    this.#forgetTopology = options.access.onTopologyChange(() => this.#onTopology());
  }

  get isInForce(): boolean {
    return this.#isInForce;
  }

  set(wanted: Wanted): Promise<void> {
    this.#wanted = wanted;
    this.#isInForce = false;
    const turn = this.#changing.then(() => this.#apply());
    this.#changing = turn.catch(() => undefined);
    return turn;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    this.#forgetTopology();
    for (const { client } of this.#lines.values()) client.disconnect();
  }

  /** A slot that moves takes its sharded subscriptions off the old shard without a word. */
  #onTopology(): void {
    const shardIds = new Set(this.#options.access.shards().map(({ id }) => id));
    for (const [key, line] of this.#lines) {
      if (shardIds.has(line.shardId)) line.names.sharded.clear();
      // Whoever waits for a confirmation of this shard would wait for ever, and all that is set later with it.
      else this.#close(key, line);
    }
    this.set(this.#wanted).catch((error: unknown) => {
      this.#options.log.warn({ err: error }, 'channels could not be subscribed to again');
    });
  }

  async #apply(): Promise<void> {
    if (this.#closed) return;
    this.#isInForce = false;
    const { access } = this.#options;
    const wanted = this.#wanted;
    const { channels, patterns, sharded } = wanted;
    const plan = new Map<string, { readonly shard: Shard; readonly names: Line['names'] }>();
    const on = (key: string, shard: Shard): Line['names'] => {
      const planned = plan.get(key) ?? { shard, names: emptyNames() };
      plan.set(key, planned);
      return planned.names;
    };
    // Messages of plain channels reach every node of a cluster, so any shard will do.
    const [first] = access.shards();
    if (first !== undefined && channels.size + patterns.size > 0) {
      const names = on(`plain ${first.id}`, first);
      for (const name of channels) names.channel.add(name);
      for (const name of patterns) names.pattern.add(name);
    }
    for (const name of sharded) {
      const shard = access.shardOf(latin1FromUtf8(name));
      on(`sharded ${shard.id}`, shard).sharded.add(name);
    }
    for (const [key, line] of this.#lines) if (!plan.has(key)) this.#close(key, line);
    await Promise.all([...plan].map(([key, { shard, names }]) => this.#bring(this.#lineOf(key, shard), names)));
    if (this.#wanted === wanted) this.#isInForce = true;
  }

  #close(key: string, { client }: Line): void {
    this.#lines.delete(key);
    client.disconnect();
  }

  #lineOf(key: string, shard: Shard): Line {
    const { access, log } = this.#options;
    const existing = this.#lines.get(key);
    if (existing !== undefined) return existing;
    const client = access.openClient(shard, 'regears-channels');
    const line: Line = { shardId: shard.id, client, names: emptyNames() };
    this.#lines.set(key, line);
    client.on('error', (error: unknown) => log.debug({ err: error }, 'the connection for channels has a fault'));
    client.on('messageBuffer', (channel: Buffer, message: Buffer) => this.#hear('channel', channel, message));
    client.on('smessageBuffer', (channel: Buffer, message: Buffer) => this.#hear('sharded', channel, message));
    client.on('pmessageBuffer', (pattern: Buffer | string, channel: Buffer, message: Buffer) => {
      const heard = { kind: 'pattern', source: pattern.toString() } as const;
      this.#options.onMessage({ ...heard, channel: latin1(channel), message: latin1(message) });
    });
    return line;
  }

  #hear(kind: 'channel' | 'sharded', channel: Buffer, message: Buffer): void {
    const source = channel.toString();
    this.#options.onMessage({ kind, source, channel: latin1(channel), message: latin1(message) });
  }

  async #bring({ client, names }: Line, wanted: Line['names']): Promise<void> {
    for (const kind of KINDS) {
      const added = [...wanted[kind]].filter((name) => !names[kind].has(name));
      const removed = [...names[kind]].filter((name) => !wanted[kind].has(name));
      if (added.length > 0) await subscribe(client, kind, added);
      for (const name of added) names[kind].add(name);
      for (const name of removed) names[kind].delete(name);
      if (removed.length > 0) await unsubscribe(client, kind, removed);
    }
  }
}

function emptyNames(): Line['names'] {
  return { channel: new Set(), pattern: new Set(), sharded: new Set() };
}

function latin1(bytes: Buffer): string {
  return bytes.toString('latin1');
}

async function subscribe(client: Redis, kind: Kind, names: readonly string[]): Promise<void> {
  if (kind === 'channel') await client.subscribe(...names);
  else if (kind === 'pattern') await client.psubscribe(...names);
  // Sharded channels of one command have to share a slot.
  else await Promise.all(names.map((name) => client.ssubscribe(name)));
}

async function unsubscribe(client: Redis, kind: Kind, names: readonly string[]): Promise<void> {
  if (kind === 'channel') await client.unsubscribe(...names);
  else if (kind === 'pattern') await client.punsubscribe(...names);
  else await Promise.all(names.map((name) => client.sunsubscribe(name)));
}
