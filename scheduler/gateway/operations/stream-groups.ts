import { type RedisAccess, type Registry, type Unread, unreadEntries } from '#functions';
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
  readonly consumers: readonly GroupConsumer[];
}

export interface GroupConsumer {
  readonly name: string;
  readonly pending: number;
  /** Since it last asked for something, ms. */
  readonly idleMs: number;
}

/** Looks at the consumer groups of the registrations in force. */
export interface StreamGroups {
  /** By registration and stream. Streams that are gone are left out. */
  inspect(): Promise<readonly StreamGroup[]>;
}

export interface StreamGroupsOptions {
  readonly registry: Pick<Registry, 'snapshot'>;
  readonly access: Pick<RedisAccess, 'client'>;
  readonly keys: Pick<SchedulerKeys, 'streams'>;
}

/** Streams looked at in one report; a registration of `*` may have any number. */
const MOST_STREAMS = 10_000;

/** Asks Redis itself (XINFO), so that the answer is the same on every node. */
export function createStreamGroups({ registry, access, keys }: StreamGroupsOptions): StreamGroups {
  const { client } = access;
  return {
    async inspect() {
      const found: StreamGroup[] = [];
      const ids = [...registry.snapshot().registrations.values()]
        .filter(({ spec }) => spec.trigger.kind !== 'command')
        .map(({ spec }) => spec.id)
        .sort();
      for (const registrationId of ids) {
        const streams = (await client.smembersBuffer(keys.streams(registrationId))).slice(0, MOST_STREAMS);
        const groups = await Promise.all(streams.map((stream) => readGroup(client, stream, registrationId)));
        found.push(...groups.filter((group) => group !== null));
      }
      return found;
    },
  };
}

type Client = RedisAccess['client'];

async function readGroup(client: Client, stream: Buffer, registrationId: string): Promise<StreamGroup | null> {
  const groups = (await info(client, ['GROUPS', stream])).map(fieldsOf);
  const group = groups.find((row) => row.get('name') === registrationId);
  if (group === undefined) return null;
  const facts = fieldsOf(await info(client, ['STREAM', stream]));
  const consumers = (await info(client, ['CONSUMERS', stream, Buffer.from(registrationId)])).map(fieldsOf);
  return {
    registrationId,
    stream: stream.toString('latin1'),
    unread: unreadEntries(facts, group),
    pending: Number(group.get('pending') ?? 0),
    lastDeliveredId: String(group.get('last-delivered-id') ?? ''),
    consumers: consumers.map((row) => ({
      name: String(row.get('name')),
      pending: Number(row.get('pending') ?? 0),
      idleMs: Number(row.get('idle') ?? 0),
    })),
  };
}

/** A reply of XINFO; empty when the stream or the group has gone. */
async function info(client: Client, args: readonly (string | Buffer)[]): Promise<readonly unknown[]> {
  try {
    const reply = await client.call('XINFO', ...args);
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
