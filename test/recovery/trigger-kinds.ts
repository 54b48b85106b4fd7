import type { Redis } from 'ioredis';

/** One kind of trigger in a recovery test: how a function of it is registered, and how its events are made. */
export interface TriggerKind {
  readonly name: string;
  readonly id: string;
  /** The `register` call of a function, whose effect is named after the kind. */
  source(mode: Mode): string;
  /** Makes the events `from` … `to - 1`; absent where the platform makes them. */
  readonly feed?: (clients: FeedClients, from: number, to: number) => Promise<unknown>;
}

export type Mode = 'sync' | 'async_local' | 'async';

export interface FeedClients {
  readonly redis: Redis;
  /** The door of a node that lives. */
  readonly door: Redis;
}

export const FUNCTION = 'kinds';

/** The event that fails before its third try. */
export const FAILING = 3;

/** Counts each event, and keeps the order of the runs; long enough under way to be met by a kill. */
function effect(name: string, number: string): string {
  return `.foreach(async (r) => {
    for (let n = 0; n < 2; n += 1) await execute('PING');
    if (Number(${number}) === ${FAILING} && (await execute('INCR', 'tries:${name}')) < 3) throw new Error('not yet');
    await Promise.all([execute('HINCRBY', 'seen:${name}', ${number}, 1), execute('RPUSH', 'order:${name}', ${number})]);
  })`;
}

const RETRY = "onFailedPolicy: 'retry', onFailedRetryInterval: 0.1";

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, n) => from + n);
}

/** All but the last have their events in a stream of the platform before they run. */
export const KINDS: readonly TriggerKind[] = [
  {
    name: 'heard',
    id: `${FUNCTION}/heard`,
    source: (mode) =>
      `GB()${effect('heard', 'r.key.slice(6)')}.register({ id: 'heard', prefix: 'heard:*', mode: '${mode}', readValue: false, ${RETRY} });`,
    feed: ({ redis }, from, to) => Promise.all(range(from, to).map((n) => redis.set(`heard:${n}`, '1'))),
  },
  {
    name: 'door',
    id: `${FUNCTION}/door`,
    source: (mode) =>
      `GB()${effect('door', 'r.key.slice(5)')}.register({ id: 'door', prefix: 'door:*', mode: '${mode}', readValue: false, ${RETRY} });`,
    feed: ({ door }, from, to) => Promise.all(range(from, to).map((n) => door.set(`door:${n}`, '1'))),
  },
  {
    name: 'ticks',
    id: `${FUNCTION}/ticks`,
    source: (mode) =>
      `GB('ScheduleReader')${effect('ticks', 'r.tick')}.register({ id: 'ticks', every: '100ms', missed: 'all', mode: '${mode}', ${RETRY} });`,
  },
  {
    name: 'list',
    id: `${FUNCTION}/list`,
    source: (mode) =>
      `GB('ListReader')${effect('list', 'r.value')}.register({ id: 'list', list: 'jobs', mode: '${mode}', batch: 10, ${RETRY} });`,
    feed: ({ redis }, from, to) => redis.lpush('jobs', ...range(from, to)),
  },
  {
    name: 'durable',
    id: `${FUNCTION}/durable`,
    source: (mode) =>
      `GB('PubSubReader')${effect('durable', 'r.message')}.register({ id: 'durable', channels: ['kept'], durable: true, mode: '${mode}', ${RETRY} });`,
    feed: ({ redis }, from, to) => Promise.all(range(from, to).map((n) => redis.publish('kept', String(n)))),
  },
  {
    name: 'plain',
    id: `${FUNCTION}/plain`,
    source: (mode) =>
      `GB('PubSubReader')${effect('plain', 'r.message')}.register({ id: 'plain', channels: ['told'], mode: '${mode}' });`,
    feed: ({ redis }, from, to) => Promise.all(range(from, to).map((n) => redis.publish('told', String(n)))),
  },
];

/** Numbers of the events of a kind that have run. */
export async function seenOf(redis: Redis, { name }: TriggerKind): Promise<Set<number>> {
  return new Set((await redis.hkeys(`seen:${name}`)).map(Number));
}

/** Numbers in the order in which they ran, repeated runs included. */
export async function orderOf(redis: Redis, { name }: TriggerKind): Promise<readonly number[]> {
  return (await redis.lrange(`order:${name}`, 0, -1)).map(Number);
}

/** The kinds that know this mode: messages from memory have no job that another node could take. */
export function kindsOf(mode: Mode): readonly TriggerKind[] {
  return KINDS.filter(({ name }) => mode !== 'async' || name !== 'plain');
}

/** Loads all kinds of a mode as one function. */
export async function loadKinds(door: Redis, mode: Mode): Promise<void> {
  const sources = kindsOf(mode).map((kind) => kind.source(mode));
  await door.call('RG.FUNCTION', 'LOAD', FUNCTION, sources.join('\n'));
}
