import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import type { Logger } from 'pino';
import { defineScript, type RedisAccess, type Shard } from '#functions';
import { keyEventTags } from '../consumer/key-streams.ts';
import type { StreamLeases } from '../fleet/fleet.ts';
import type { SchedulerKeys } from '../keys.ts';
import type { KeysTable } from './keys-table.ts';
import type { KeysWriter, TakenEvent } from './keys-writer.ts';

/** Hears keyspace notifications, for each shard on one node of the fleet, and writes what concerns a registration. */
export interface KeysListener extends AsyncDisposable {
  /** From now on by this table; resolves when shards that nobody listened to are listened to, or after two seconds. */
  follow(table: KeysTable): Promise<void>;
  /** Hands the shards over to the other nodes, after what was heard is written. `follow` begins anew. */
  stop(): Promise<void>;
  /** Shards that this node listens to. */
  readonly shards: readonly string[];
}

export interface KeysListenerOptions {
  readonly access: Pick<
    RedisAccess,
    'facts' | 'shards' | 'shardOf' | 'openClient' | 'onTopologyChange' | 'client' | 'tagOf'
  >;
  readonly leases: StreamLeases;
  readonly keys: SchedulerKeys;
  readonly writer: KeysWriter;
  readonly log: Logger;
}

/** The name under which listening is leased; registrations have a slash in theirs. */
const LEASE = 'key-events';
const ANNOUNCE = defineScript('announce-listener', new URL('./scripts/announce-listener.lua', import.meta.url));
const ROUND_MS = 500;
/** A server that does not answer must not keep a registration from coming into force. */
const BEGIN_MS = 2_000;
/** Doors that know nothing of a listener for so long write everything themselves. */
const EPOCH_MS = 3_000;
/** Executions a client waits for carry its token only when its door comes first: it gets so much of a start. */
const DOOR_FIRST_MS = 20;

interface Source {
  readonly shard: Shard;
  readonly client: Redis;
  /** Differs for every subscription: what was paired with an earlier one may have been missed. */
  epoch: string;
  /** Something has come: the server sends events, whatever it said when the node started. */
  hasHeard: boolean;
  waiting: TakenEvent[];
  writing: Promise<void>;
  isScheduled: boolean;
}

export function createKeysListener(options: KeysListenerOptions): KeysListener {
  return new ShardListener(options);
}

class ShardListener implements KeysListener {
  readonly #options: KeysListenerOptions;
  readonly #sources = new Map<string, Source>();
  #table: KeysTable | null = null;
  #timer: NodeJS.Timeout | null = null;
  #round: Promise<void> = Promise.resolve();
  #isClosed = false;

  constructor(options: KeysListenerOptions) {
    this.#options = options;
  }

  get shards(): readonly string[] {
    return [...this.#sources.keys()];
  }

  async follow(table: KeysTable): Promise<void> {
    this.#table = table;
    if (!table.listens || this.#isClosed) return;
    this.#timer ??= setInterval(() => void this.#next(), ROUND_MS);
    await Promise.race([this.#next(), sleep(BEGIN_MS, undefined, { ref: false })]);
  }

  async stop(): Promise<void> {
    this.#table = null;
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
    await this.#round;
    await Promise.all([...this.#sources.values()].map((source) => this.#close(source)));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    await this.stop();
  }

  #next(): Promise<void> {
    this.#round = this.#round
      .then(() => this.#keep())
      .catch((error: unknown) => this.#options.log.debug({ err: error }, 'listening could not be arranged'));
    return this.#round;
  }

  /** Takes what nobody listens to, gives up what is not ours any more. */
  async #keep(): Promise<void> {
    const { access, leases } = this.#options;
    const table = this.#table;
    if (table === null) return;
    const shards = table.listens ? access.shards() : [];
    for (const source of [...this.#sources.values()]) {
      if (!shards.some(({ id }) => id === source.shard.id)) await this.#close(source);
    }
    for (const shard of shards) {
      const source = this.#sources.get(shard.id);
      if (await leases.acquire(LEASE, leaseName(shard))) {
        if (source === undefined) await this.#open(shard);
        else await this.#announce(source);
      } else if (source !== undefined) await this.#close(source);
    }
  }

  async #open(shard: Shard): Promise<void> {
    const { access, log } = this.#options;
    const client = access.openClient(shard, 'regears-keys');
    const source: Source = {
      shard,
      client,
      epoch: '',
      hasHeard: false,
      waiting: [],
      writing: Promise.resolve(),
      isScheduled: false,
    };
    this.#sources.set(shard.id, source);
    client.on('error', (error: unknown) => log.debug({ err: error }, 'the connection for key events has a fault'));
    client.on('close', () => {
      source.epoch = '';
    });
    const byKeyspace = channelsOf(access.facts.notifications) === 'keyspace';
    client.on('pmessageBuffer', (_pattern: unknown, channel: Buffer, message: Buffer) => {
      const name = channel.toString('latin1');
      const about = name.slice(name.indexOf('__:') + 3);
      const other = message.toString('latin1');
      if (byKeyspace) this.#heard(source, other, about);
      else this.#heard(source, about, other);
    });
    const begun = Promise.withResolvers<void>();
    const subscribe = async (): Promise<void> => {
      await client.psubscribe(byKeyspace ? '__keyspace@*__:*' : '__keyevent@*__:*');
      source.epoch = randomUUID();
      // Before anything that is heard from now on is written: an older epoch would refuse it.
      source.writing = source.writing.then(() => this.#announce(source));
      await source.writing;
      begun.resolve();
    };
    client.on('ready', () => void subscribe().catch((error: unknown) => log.debug({ err: error }, 'not subscribed')));
    if (client.status === 'ready') await subscribe();
    else await Promise.race([begun.promise, sleep(BEGIN_MS, undefined, { ref: false })]);
  }

  /** Doors pair what they report only with a listener that says that it is there. */
  async #announce({ shard, epoch, hasHeard }: Source): Promise<void> {
    const { access, keys } = this.#options;
    if (epoch === '' || !(hasHeard || sendsEvents(access.facts.notifications))) return;
    const announced = keyEventTags(access).map((tag) => keys.listener(tag, shard.id));
    await Promise.all(announced.map((key) => ANNOUNCE.run(access.client, [key], [epoch, EPOCH_MS])));
  }

  #heard(source: Source, event: string, key: string): void {
    const table = this.#table;
    source.hasHeard = true;
    if (table === null || key.startsWith(this.#options.keys.prefix)) return;
    const shared = table.shared(event, key);
    if (shared.length === 0) return;
    const taken = { event, key, certain: true, sentAtMs: 0, shared, linked: [], command: '', token: '' };
    source.waiting.push(taken);
    if (source.isScheduled) return;
    source.isScheduled = true;
    const delayed = shared.some(({ active }) => active.spec.mode === 'sync');
    if (delayed) setTimeout(() => this.#flush(source), DOOR_FIRST_MS);
    else setImmediate(() => this.#flush(source));
  }

  /** In the order in which they were heard. */
  #flush(source: Source): void {
    source.isScheduled = false;
    const events = source.waiting;
    source.waiting = [];
    if (events.length === 0) return;
    const { epoch } = source;
    source.writing = source.writing
      .then(() => this.#options.writer.write('heard', events, epoch))
      .then(
        () => undefined,
        (error: unknown) => this.#options.log.error({ err: error }, 'events of keys could not be written'),
      );
  }

  async #close(source: Source): Promise<void> {
    const { leases, log } = this.#options;
    this.#sources.delete(source.shard.id);
    source.client.disconnect();
    this.#flush(source);
    await Promise.race([source.writing, sleep(EPOCH_MS, undefined, { ref: false })]);
    await leases.release(LEASE, leaseName(source.shard)).catch((error: unknown) => {
      log.debug({ err: error }, 'the lease of a shard was not given back');
    });
  }
}

function leaseName(shard: Shard): string {
  return `shard:${shard.id}`;
}

/** Which of the two forms the server sends; both tell the same. */
function channelsOf(notifications: string | null): 'keyevent' | 'keyspace' {
  return notifications !== null && /K/.test(notifications) && !/E/.test(notifications) ? 'keyspace' : 'keyevent';
}

/** True when the server is known to send events of keys. */
function sendsEvents(notifications: string | null): boolean {
  return notifications !== null && /[KE]/.test(notifications) && /[Ag$lshzxetdm]/.test(notifications);
}
