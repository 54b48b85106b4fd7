import { type ActiveRegistration, type RedisAccess, type Registry, type Unread, unreadEntries } from '#functions';
import type { SchedulerKeys } from '../../keys.ts';

/** One registration's consumer group on one stream. */
export interface StreamGroup {
  readonly registrationId: string;
  /** Key, latin1. */
  readonly stream: string;
  /** Entries not read yet; null when the stream has just gone. */
  readonly unread: Unread | null;
  /** Entries read and not settled. */
  readonly pending: number;
  readonly lastDeliveredId: string;
  /** Oldest entry that nobody has read, and oldest one without an end that somebody has; null = there is none. */
  readonly oldestUnreadId: string | null;
  readonly oldestPendingId: string | null;
  /** Of the stream, the same for all its groups. */
  readonly length: number;
  readonly firstId: string | null;
  readonly lastId: string | null;
  /** Empty when they were not asked for. */
  readonly consumers: readonly GroupConsumer[];
}

export interface GroupConsumer {
  readonly name: string;
  readonly pending: number;
  /** Since it last asked for something, ms. */
  readonly idleMs: number;
}

export interface StreamQuestion {
  /** Whose groups; left out = those of all. */
  readonly wanted?: (registration: ActiveRegistration) => boolean;
  /** False saves a command per group where nobody wants to know them. */
  readonly consumers?: boolean;
}

/** Looks at the consumer groups of registrations. */
export interface StreamGroups {
  /** Of registrations in force, by registration and stream. Streams that are gone are left out. */
  inspect(question?: StreamQuestion): Promise<readonly StreamGroup[]>;
  /** Of registrations that are gone, on the users' own streams. */
  leftBehind(): Promise<readonly StreamGroup[]>;
}

export interface StreamGroupsOptions {
  readonly registry: Pick<Registry, 'snapshot'>;
  readonly access: Pick<RedisAccess, 'client'>;
  readonly keys: Pick<SchedulerKeys, 'streams' | 'prefix' | 'registrationIndex'>;
}

interface ManyGroups {
  readonly ids: readonly string[];
  readonly isWanted: (stream: Buffer) => boolean;
  readonly consumers: boolean;
}

/** Streams looked at in one report; a registration of `*` may have any number. */
const MOST_STREAMS = 10_000;

/** Asks Redis itself (XINFO), so that the answer is the same on every node. */
export function createStreamGroups({ registry, access, keys }: StreamGroupsOptions): StreamGroups {
  const { client } = access;
  async function groupsOf({ ids, isWanted, consumers }: ManyGroups): Promise<StreamGroup[]> {
    const found: StreamGroup[] = [];
    for (const registrationId of ids.toSorted()) {
      const streams = (await client.smembersBuffer(keys.streams(registrationId))).filter(isWanted);
      const groups = await Promise.all(
        streams.slice(0, MOST_STREAMS).map((stream) => readGroup(client, { stream, registrationId, consumers })),
      );
      found.push(...groups.filter((group) => group !== null));
    }
    return found;
  }

  return {
    inspect({ wanted = () => true, consumers = true } = {}) {
      const ids = [...registry.snapshot().registrations.values()]
        .filter((registration) => registration.spec.trigger.kind !== 'command' && wanted(registration))
        .map(({ spec }) => spec.id);
      return groupsOf({ ids, isWanted: () => true, consumers });
    },
    async leftBehind() {
      const { registrations } = registry.snapshot();
      const known = await client.smembers(keys.registrationIndex);
      const ids = known.filter((id) => !registrations.has(id));
      return groupsOf({ ids, isWanted: (stream) => !stream.toString().startsWith(keys.prefix), consumers: true });
    },
  };
}

type Client = RedisAccess['client'];

interface GroupQuestion {
  readonly stream: Buffer;
  readonly registrationId: string;
  readonly consumers: boolean;
}

async function readGroup(client: Client, question: GroupQuestion): Promise<StreamGroup | null> {
  const { stream, registrationId } = question;
  const name = Buffer.from(registrationId);
  const [groups, facts, consumers] = await Promise.all([
    ask(client, ['XINFO', 'GROUPS', stream]),
    ask(client, ['XINFO', 'STREAM', stream]).then(fieldsOf),
    question.consumers ? ask(client, ['XINFO', 'CONSUMERS', stream, name]) : [],
  ]);
  const group = groups.map(fieldsOf).find((row) => row.get('name') === registrationId);
  if (group === undefined) return null;
  const unread = unreadEntries(facts, group);
  const pending = Number(group.get('pending') ?? 0);
  const lastDeliveredId = String(group.get('last-delivered-id') ?? '');
  return {
    registrationId,
    stream: stream.toString('latin1'),
    unread,
    pending,
    lastDeliveredId,
    oldestUnreadId: unread === null || unread.atMost === 0 ? null : await firstBehind(client, stream, lastDeliveredId),
    oldestPendingId: pending === 0 ? null : await oldestPending(client, stream, name),
    length: Number(facts.get('length') ?? 0),
    firstId: idOf(facts.get('first-entry')),
    lastId: idOf(facts.get('last-entry')),
    consumers: consumers.map(fieldsOf).map((row) => ({
      name: String(row.get('name')),
      pending: Number(row.get('pending') ?? 0),
      idleMs: Number(row.get('idle') ?? 0),
    })),
  };
}

async function firstBehind(client: Client, stream: Buffer, id: string): Promise<string | null> {
  const [entry] = await ask(client, ['XRANGE', stream, `(${id}`, '+', 'COUNT', '1']);
  return idOf(entry);
}

async function oldestPending(client: Client, stream: Buffer, group: Buffer): Promise<string | null> {
  const [, oldest] = await ask(client, ['XPENDING', stream, group]);
  return typeof oldest === 'string' ? oldest : null;
}

function idOf(entry: unknown): string | null {
  return Array.isArray(entry) ? String(entry[0]) : null;
}

/** A list; empty when the stream or the group has gone. */
async function ask(
  client: Client,
  [command, ...args]: readonly [string, ...(string | Buffer)[]],
): Promise<readonly unknown[]> {
  try {
    const reply = await client.call(command, ...args);
    return Array.isArray(reply) ? reply : [];
  } catch (error) {
    if (error instanceof Error && /^(ERR no such key|NOGROUP|WRONGTYPE)/.test(error.message)) return [];
    throw error;
  }
}

function fieldsOf(row: unknown): Map<string, unknown> {
  const map = new Map<string, unknown>();
  if (!Array.isArray(row)) return map;
  for (let i = 0; i + 1 < row.length; i += 2) map.set(String(row[i]), row[i + 1]);
  return map;
}
