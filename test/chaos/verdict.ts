import { setTimeout as pause } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { endsOf, sumOf } from '../recovery/flow.ts';
import type { Mode } from './load.ts';
import { streamsOf } from './load.ts';

interface GroupState {
  readonly unread: boolean;
  readonly pending: number;
}

/** `lag` is not asked: Redis 7.0 counts it wrong after a restart. */
async function stateOf(redis: Redis, stream: string, group: string): Promise<GroupState> {
  const facts = (await redis.xinfo('STREAM', stream).catch(() => [])) as unknown[];
  const rows = (await redis.xinfo('GROUPS', stream).catch(() => [])) as unknown[][];
  const row = rows.find((one) => one[one.indexOf('name') + 1] === group);
  if (row === undefined) return { unread: true, pending: 0 };
  const newest = facts[facts.indexOf('last-generated-id') + 1];
  return {
    unread: row[row.indexOf('last-delivered-id') + 1] !== newest,
    pending: Number(row[row.indexOf('pending') + 1]),
  };
}

/** Waits until nothing is unread and nothing pending; answers what still is after the deadline. */
export async function untilSettled(
  redis: Redis,
  groups: ReadonlyMap<Mode, string>,
  deadlineMs: number,
): Promise<readonly string[]> {
  const endMs = performance.now() + deadlineMs;
  for (;;) {
    const open = await openStreams(redis, groups);
    if (open.length === 0 || performance.now() > endMs) return open;
    await pause(200);
  }
}

async function openStreams(redis: Redis, groups: ReadonlyMap<Mode, string>): Promise<readonly string[]> {
  const open: string[] = [];
  for (const [mode, group] of groups) {
    for (const stream of streamsOf(mode)) {
      const { unread, pending } = await stateOf(redis, stream, group);
      if (!unread && pending === 0) continue;
      const holders = JSON.stringify(await redis.xpending(stream, group).catch(String));
      open.push(`${stream}: ${unread ? 'not read to its end' : 'read'}, ${pending} pending ${holders}`);
    }
  }
  return open;
}

export interface ModeVerdict {
  readonly mode: Mode;
  readonly written: number;
  readonly runs: number;
  readonly faults: readonly string[];
}

export interface Judged {
  readonly redis: Redis;
  /** A node's door. */
  readonly door: Redis;
  readonly mode: Mode;
  readonly group: string;
}

/** What must hold of one mode once everything is settled. */
export async function judge({ redis, door, mode, group }: Judged): Promise<ModeVerdict> {
  const faults: string[] = [];
  let written = 0;
  let bad = 0;
  let skipped = 0;
  let runs = 0;
  for (const stream of streamsOf(mode)) {
    const entries = (await redis.xrange(stream, '-', '+')) as [string, string[]][];
    written += entries.length;
    bad += entries.filter(([, fields]) => fields[3] === 'bad').length;
    const kept = entries.filter(([, fields]) => fields[3] !== 'skip');
    skipped += entries.length - kept.length;
    // What the producer had sent when the connection was lost may be in the stream twice.
    const expected = [...new Set(kept.map(([, fields]) => fields[1] ?? ''))];
    const ran = await redis.lrange(`ran:${stream}`, 0, -1);
    runs += ran.length;
    const first = new Set(ran);
    const missing = expected.filter((n) => !first.has(n));
    if (missing.length > 0) faults.push(`${stream}: ${missing.length} entries never ran, such as ${missing[0]}`);
    if (mode === 'sync') faults.push(...outOfOrder(stream, expected, [...first]));
  }
  const ends = await endsOf(door, group);
  if (sumOf(ends) !== written) faults.push(`${sumOf(ends)} ends of ${written} entries: ${JSON.stringify(ends)}`);
  if (ends.dead !== bad) faults.push(`${ends.dead} dead letters, ${bad} entries that fail for ever`);
  if (ends.filtered !== skipped) faults.push(`${ends.filtered} filtered out, ${skipped} that had to be`);
  if (ends.lost > 0) faults.push(`${ends.lost} lost`);
  return { mode, written, runs, faults };
}

/** First runs in the order of the stream; what ran again does not count. */
function outOfOrder(stream: string, expected: readonly string[], first: readonly string[]): string[] {
  const place = new Map(expected.map((n, at) => [n, at]));
  const wrong: string[] = [];
  let reached = -1;
  for (const n of first) {
    const at = place.get(n) ?? -1;
    if (at !== reached + 1) wrong.push(`${expected[reached] ?? 'nothing'} → ${n}`);
    reached = Math.max(reached, at);
  }
  return wrong.length === 0 ? [] : [`${stream}: out of order ${wrong.length} times: ${wrong.slice(0, 5).join(', ')}`];
}
