import { readFile } from 'node:fs/promises';
import type { Cluster, Redis } from 'ioredis';
import { waitFor } from '../support/wait.ts';

/** The registration every recovery test uses: counts, per entry, how often it ran. */
export const STREAM = 'flow:in';
export const SEEN = 'flow:seen';

const SOURCE = `new GearsBuilder('StreamReader')
  .foreach(async (r) => { await execute('HINCRBY', '${SEEN}', r.id, 1); })`;

export interface FlowOptions {
  readonly mode: 'sync' | 'async' | 'async_local';
  readonly batch?: number;
}

/** Loads the function; answers its registration id, which is also the group's name. */
export async function loadFlow(door: Redis, options: FlowOptions): Promise<string> {
  const { mode, batch = 100 } = options;
  const register = `.register({ prefix: '${STREAM}', mode: '${mode}', batch: ${batch}, onFailedPolicy: 'retry' });`;
  const reply = (await door.call('RG.FUNCTION', 'LOAD', 'flow', SOURCE + register)) as [
    string,
    number,
    string,
    string[],
  ];
  return reply[3][0] ?? '';
}

/** Appends entries in pipelined chunks, waiting through outages; resolves with every id Redis gave before the client was closed. */
export async function produce(redis: Redis | Cluster, total: number, chunk = 500): Promise<string[]> {
  const ids: string[] = [];
  while (ids.length < total && redis.status !== 'end') {
    const pipeline = redis.pipeline();
    const size = Math.min(chunk, total - ids.length);
    for (let n = 0; n < size; n += 1) pipeline.xadd(STREAM, '*', 'n', String(ids.length + n), 'user', `u${n}`);
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

/** Waits until the group has read everything and nothing is pending. */
export async function settled(redis: Redis | Cluster, group: string, deadlineMs = 120_000): Promise<void> {
  await waitFor(
    async () => {
      const groups = ((await redis.xinfo('GROUPS', STREAM).catch(() => [])) as unknown[][]).map(labelled);
      const mine = groups.find((candidate) => candidate.get('name') === group);
      // Not `lag`: Redis 7.0 counts it wrong after a restart.
      const newest = labelled((await redis.xinfo('STREAM', STREAM)) as unknown[]).get('last-generated-id');
      return mine !== undefined && mine.get('last-delivered-id') === newest && Number(mine.get('pending')) === 0;
    },
    { deadlineMs, what: `group ${group} has nothing unread and nothing pending` },
  );
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
