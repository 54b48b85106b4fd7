import { readFile } from 'node:fs/promises';
import process from 'node:process';
import { setTimeout as pause } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import type { PlatformProcess } from '../support/platform.ts';
import { waitFor, waitForCount } from '../support/wait.ts';
import { childrenOf } from './flow.ts';

/** Times from a kill to the first re-run, seen from Redis alone: every run of an entry leaves a line in a stream. */
export type Mode = 'sync' | 'async' | 'async_local';

const STREAM = 'rerun:in';
const RAN = 'rerun:ran';
/** What a dead process has still in its socket is in Redis by then. */
const LAST_WORDS_MS = 50;
const DEADLINE_MS = 60_000;
const REPEAT_DEADLINE_MS = 5_000;
const MOST_TRIES = 3;
/** Of entries, before a kill: by then all is warm. */
const RUNS_BEFORE = 5_000;

/** Loads the function whose every run is recorded; answers its group. */
export async function loadRecorder(door: Redis, mode: Mode): Promise<string> {
  const source = `new GearsBuilder('StreamReader')
    .foreach(async (r) => { await execute('XADD', '${RAN}', '*', 'id', r.id); await execute('EXISTS', r.id); })
    .register({ prefix: '${STREAM}', mode: '${mode}', batch: 100, onFailedPolicy: 'retry' });`;
  const reply = (await door.call('RG.FUNCTION', 'LOAD', 'recorder', source)) as [string, number, string, string[]];
  return reply[3][0] ?? '';
}

/** Keeps entries coming until it is disposed of, never more than `backlog` ahead of what has been read. */
export function startFlow(redis: Redis, group: string, backlog = 20_000): AsyncDisposable {
  let closed = false;
  const flow = async (): Promise<void> => {
    // A client that was closed answers at once, always: going on would leave this process no time for anything else.
    while (!closed && redis.status !== 'end') {
      const lag = await lagOf(redis, group);
      if (lag > backlog) {
        await pause(5);
        continue;
      }
      const pipeline = redis.pipeline();
      for (let n = 0; n < 1_000; n += 1) pipeline.xadd(STREAM, '*', 'n', String(n));
      await pipeline.exec();
    }
  };
  const running = flow();
  return {
    async [Symbol.asyncDispose]() {
      closed = true;
      await running;
    },
  };
}

/** SIGKILL of the sandbox process that does the work, to the first entry whose handler runs a second time; ms. */
export async function sandboxKillTime(
  redis: Redis,
  platform: PlatformProcess,
  runsBefore = RUNS_BEFORE,
): Promise<number> {
  for (let tries = 1; ; tries += 1) {
    await runsOn(redis, runsBefore);
    const victim = await worker(platform.pid);
    const killedAtMs = Date.now();
    process.kill(victim, 'SIGKILL');
    const again = await firstRepeated(redis, killedAtMs);
    if (again !== null) return again - killedAtMs;
    // It may have been between two batches.
    if (tries === MOST_TRIES) throw new Error(`No entry ran again after ${tries} kills.`);
  }
}

export interface NodeKill {
  /** The node that was killed. */
  readonly victim: PlatformProcess;
  /** To the first run of an entry that the dead node had in work, ms. */
  readonly firstMs: number;
  /** To the last first run of those. */
  readonly lastMs: number;
  readonly entries: number;
}

/** SIGKILL of a node with entries in work, to their runs on another node. `nodes` by slot. */
export async function nodeKillTime(redis: Redis, group: string, nodes: readonly PlatformProcess[]): Promise<NodeKill> {
  await runsOn(redis, RUNS_BEFORE);
  const { victim, ids } = await waitFor(() => stopWithWork(redis, group, nodes), {
    deadlineMs: DEADLINE_MS,
    what: 'a node has entries in work',
  });
  const killedAtMs = Date.now();
  await victim.kill();
  const since = String(killedAtMs + LAST_WORDS_MS);
  const times = await waitFor(
    async () => {
      const found = new Map<string, number>();
      for (const { id, atMs } of await runs(redis, since)) if (ids.has(id) && !found.has(id)) found.set(id, atMs);
      return found.size === ids.size ? [...found.values()] : null;
    },
    { deadlineMs: DEADLINE_MS, intervalMs: 100, what: `all ${ids.size} entries of the dead node have run again` },
  );
  const firstMs = Math.min(...times) - killedAtMs;
  return { victim, firstMs, lastMs: Math.max(...times) - killedAtMs, entries: ids.size };
}

/** Stops a node at a moment when entries are in its hands; lets it go on if none are. */
async function stopWithWork(
  redis: Redis,
  group: string,
  nodes: readonly PlatformProcess[],
): Promise<{ readonly victim: PlatformProcess; readonly ids: ReadonlySet<string> } | null> {
  for (const [slot, victim] of nodes.entries()) {
    victim.signal('SIGSTOP');
    const ids = await inWork(redis, group, slot);
    if (ids.size > 0) return { victim, ids };
    victim.signal('SIGCONT');
  }
  return null;
}

/** In mode `async` what a node has read may run anywhere; what it runs is under its work name. */
async function inWork(redis: Redis, group: string, slot: number): Promise<ReadonlySet<string>> {
  const pendingOf = async (consumer: string): Promise<string[]> => {
    const rows = (await redis.xpending(STREAM, group, '-', '+', 1_000, consumer)) as [string][];
    return rows.map(([id]) => id);
  };
  const working = await pendingOf(`n${slot}~work`);
  const summary = (await redis.xpending(STREAM, group)) as [number, string, string, [string, string][] | null];
  const isQueued = (summary[3] ?? []).some(([name]) => name.endsWith('~work'));
  return new Set(isQueued ? working : await pendingOf(`n${slot}`));
}

async function lagOf(redis: Redis, group: string): Promise<number> {
  const groups = (await redis.xinfo('GROUPS', STREAM).catch(() => [])) as unknown[][];
  const mine = groups.find((row) => row[row.indexOf('name') + 1] === group);
  return mine === undefined ? 0 : Number(mine[mine.indexOf('lag') + 1] ?? 0);
}

interface Run {
  readonly id: string;
  readonly runId: string;
  readonly atMs: number;
}

async function runs(redis: Redis, since: string): Promise<readonly Run[]> {
  const rows = (await redis.xrange(RAN, since, '+')) as [string, string[]][];
  return rows.map(([runId, fields]) => ({ id: fields[1] ?? '', runId, atMs: Number(runId.split('-')[0]) }));
}

/** Time of the first run since the kill of an entry that had run already; null when none came in time. */
async function firstRepeated(redis: Redis, killedAtMs: number): Promise<number | null> {
  const seen = new Set<string>();
  let after = '-';
  for (const endMs = performance.now() + REPEAT_DEADLINE_MS; performance.now() < endMs; await pause(50)) {
    for (const { id, runId, atMs } of await runs(redis, after)) {
      if (atMs >= killedAtMs && seen.has(id)) return atMs;
      seen.add(id);
      after = `(${runId}`;
    }
  }
  return null;
}

/** The flow is on: so many more runs. Old records are dropped, so that looking stays quick. */
async function runsOn(redis: Redis, more: number): Promise<void> {
  const count = async (): Promise<number> => {
    const info = (await redis.xinfo('STREAM', RAN).catch(() => [])) as unknown[];
    return Number(info[info.indexOf('entries-added') + 1] ?? 0);
  };
  await waitForCount(count, (await count()) + more, { what: 'the flow is on' });
  await redis.xtrim(RAN, 'MAXLEN', 20_000);
}

/** The sandbox process that works, once it is the only one: a new spare has to be started first. */
async function worker(nodePid: number): Promise<number> {
  return waitFor(
    async () => {
      const pids = await childrenOf(nodePid);
      const before = await Promise.all(pids.map(ticksOf));
      await pause(80);
      const after = await Promise.all(pids.map(ticksOf));
      const working = pids.filter((_, n) => (after[n] ?? 0) > (before[n] ?? 0));
      return pids.length > 1 && working.length === 1 ? working[0] : null;
    },
    { deadlineMs: DEADLINE_MS, what: 'one sandbox process works, the others are idle' },
  );
}

async function ticksOf(pid: number): Promise<number> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return Number(fields[11] ?? 0) + Number(fields[12] ?? 0);
}
