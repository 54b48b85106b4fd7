import { readFile } from 'node:fs/promises';
import type { Cluster, Redis } from 'ioredis';
import { waitWhileMoving } from '../support/wait.ts';

/** The registration every recovery test uses: counts, per entry, how often it ran, and keeps the order of the runs per stream. */
export const STREAM = 'flow:in';
export const SEEN = 'flow:seen';

const ORDER = 'flow:order:';
const SOURCE = `new GearsBuilder('StreamReader').foreach(async (r) => {
  const counted = execute('HINCRBY', '${SEEN}', r.key + ' ' + r.id, 1);`;
const KEEPS_ORDER = `await execute('RPUSH', '${ORDER}' + r.key, r.value.n);`;

export interface FlowOptions {
  readonly mode: 'sync' | 'async' | 'async_local';
  readonly batch?: number;
  /** Default 1. In mode `sync` they run beside each other. */
  readonly streams?: number;
  /** Every run is noted, see `runsOf`. */
  readonly keepOrder?: boolean;
}

/** Names of the streams that a flow has. */
export function streamsOf(count: number): readonly string[] {
  return count === 1 ? [STREAM] : Array.from({ length: count }, (_, n) => `${STREAM}:${n}`);
}

/** Loads the function; answers its registration id, which is also the group's name. */
export async function loadFlow(door: Redis, options: FlowOptions): Promise<string> {
  const { mode, batch = 100, streams = 1, keepOrder = false } = options;
  const prefix = streams === 1 ? STREAM : `${STREAM}:*`;
  const source = `${SOURCE} ${keepOrder ? KEEPS_ORDER : ''} await counted; })
    .register({ prefix: '${prefix}', mode: '${mode}', batch: ${batch}, onFailedPolicy: 'retry' });`;
  const reply = (await door.call('RG.FUNCTION', 'LOAD', 'flow', source)) as [string, number, string, string[]];
  return reply[3][0] ?? '';
}

/** Field `n` of the entries of a stream as they ran, repeated runs included. */
export async function runsOf(redis: Redis, stream: string): Promise<readonly number[]> {
  return (await redis.lrange(ORDER + stream, 0, -1)).map(Number);
}

export interface ProduceOptions {
  readonly chunk?: number;
  readonly streams?: number;
}

/** Appends entries in pipelined chunks, waiting through outages; resolves with every id Redis gave before the client was closed. */
export async function produce(redis: Redis | Cluster, total: number, options: ProduceOptions = {}): Promise<string[]> {
  const { chunk = 500, streams = 1 } = options;
  const names = streamsOf(streams);
  const ids: string[] = [];
  while (ids.length < total && redis.status !== 'end') {
    const pipeline = redis.pipeline();
    const size = Math.min(chunk, total - ids.length);
    for (let i = 0; i < size; i += 1) {
      const n = ids.length + i;
      pipeline.xadd(names[n % streams] ?? STREAM, '*', 'n', String(n), 'user', `u${i}`);
    }
    const replies = await pipeline.exec().catch(() => null);
    for (const [error, id] of replies ?? []) if (error === null) ids.push(String(id));
  }
  return ids;
}

export interface Ends {
  readonly done: number;
  readonly filtered: number;
  readonly dead: number;
  readonly expired: number;
  readonly lost: number;
}

/** The ends of a registration's entries, as RG.DUMPREGISTRATIONS tells them. */
export async function endsOf(door: Redis, registrationId: string): Promise<Ends> {
  const rows = (await door.call('RG.DUMPREGISTRATIONS')) as unknown[][];
  const row = rows.find((candidate) => candidate[1] === registrationId) ?? [];
  const data = labelled(labelled(row).get('RegistrationData') as unknown[]);
  const number = (name: string): number => Number(data.get(name) ?? Number.NaN);
  return {
    done: number('done'),
    filtered: number('filtered'),
    dead: number('dead'),
    expired: number('expired'),
    lost: number('lostToTrim'),
  };
}

function labelled(row: readonly unknown[]): Map<string, unknown> {
  const map = new Map<string, unknown>();
  for (let n = 0; n + 1 < row.length; n += 2) map.set(String(row[n]), row[n + 1]);
  return map;
}

export function sumOf(ends: Ends): number {
  return ends.done + ends.filtered + ends.dead + ends.expired;
}

/** Waits until the group has read everything and nothing is pending; fails when nothing has moved for a minute. */
export async function settled(redis: Redis | Cluster, group: string, streams = 1): Promise<void> {
  const look = async () => {
    const states = await Promise.all(streamsOf(streams).map((stream) => stateOf(redis, stream, group)));
    const open = states.filter(({ read, newest, pending }) => read !== newest || pending !== 0);
    return { reached: open.length === 0, state: open };
  };
  await waitWhileMoving(look, { what: `group ${group} has nothing unread and nothing pending` });
}

interface GroupState {
  readonly stream: string;
  readonly newest: unknown;
  readonly read: unknown;
  readonly pending: number;
  /** Who has how much of it. */
  readonly consumers: unknown;
}

async function stateOf(redis: Redis | Cluster, stream: string, group: string): Promise<GroupState> {
  const groups = ((await redis.xinfo('GROUPS', stream).catch(() => [])) as unknown[][]).map(labelled);
  const mine = groups.find((candidate) => candidate.get('name') === group);
  // Not `lag`: Redis 7.0 counts it wrong after a restart.
  const newest = labelled((await redis.xinfo('STREAM', stream)) as unknown[]).get('last-generated-id');
  const pending = Number(mine?.get('pending') ?? Number.NaN);
  const consumers = pending > 0 ? ((await redis.xpending(stream, group)) as unknown[])[3] : [];
  return { stream, newest, read: mine?.get('last-delivered-id'), pending, consumers };
}

/** Child processes of a process (the node's sandboxes). */
export async function childrenOf(pid: number): Promise<number[]> {
  const text = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '');
  const pids = text.trim().split(/\s+/).filter(Boolean).map(Number);
  const sandboxes: number[] = [];
  for (const child of pids) {
    const command = await readFile(`/proc/${child}/cmdline`, 'utf8').catch(() => '');
    if (command.includes('sandbox')) sandboxes.push(child);
  }
  return sandboxes;
}
