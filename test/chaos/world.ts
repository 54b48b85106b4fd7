import process from 'node:process';
import { setTimeout as pause } from 'node:timers/promises';
import { childrenOf } from '../recovery/flow.ts';
import { type PlatformProcess, startPlatformProcess } from '../support/platform.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';

/** Default `drain-timeout`, what closing may take, and as much for a busy machine. */
const STOP_DEADLINE_MS = 30_000;

/** One node's place: processes come and go in it. */
interface Place {
  node: PlatformProcess | null;
  /** Stopped, being replaced: nothing else is done to it meanwhile. */
  busy: boolean;
}

export interface Deed {
  readonly name: string;
  /** How often relative to the others. */
  readonly weight: number;
  run(): Promise<void>;
}

/** Redis, some nodes, and what can happen to them. */
export interface World extends AsyncDisposable {
  readonly redis: TestRedis;
  readonly deeds: readonly Deed[];
  /** A node that answers. */
  anyNode(): Promise<PlatformProcess>;
  /** Processes that ended without our doing. */
  readonly surprises: readonly string[];
  /** Waits until everything that was stopped or killed is there again. */
  heal(): Promise<void>;
  /** Texts of log lines of level error and above, with how often each was seen. */
  errors(): ReadonlyMap<string, number>;
}

export interface WorldOptions {
  readonly nodes: number;
  readonly heartbeatTimeoutMs: number;
  readonly random: () => number;
}

export async function createWorld({ nodes, heartbeatTimeoutMs, random }: WorldOptions): Promise<World> {
  const redis = await startRedis({ aof: true });
  // From outside, a version whose sandbox is killed looks like one that kills its sandbox.
  const patience = ['--quarantine-after-crashes', '1000'];
  const beat = ['--heartbeat-timeout', `${heartbeatTimeoutMs}ms`, '--heartbeat', `${heartbeatTimeoutMs / 5}ms`];
  const open = (): Promise<PlatformProcess> =>
    startPlatformProcess({ redisUrl: redis.url, flags: [...beat, ...patience, '--sandboxes', '1'] });
  const places: Place[] = [];
  for (let n = 0; n < nodes; n += 1) places.push({ node: await open(), busy: false });
  const surprises: string[] = [];
  const errors = new Map<string, number>();
  const underWay = new Set<Promise<void>>();
  let redisBusy = false;

  function note(node: PlatformProcess): void {
    for (const line of node.log().split('\n')) {
      if (!/"level":[56]0/.test(line)) continue;
      const text = /"msg":"([^"]*)"/.exec(line)?.[1] ?? line.slice(0, 200);
      errors.set(text, (errors.get(text) ?? 0) + 1);
    }
  }

  function inBackground(work: Promise<void>): void {
    underWay.add(work);
    work
      .catch((error: unknown) => surprises.push(String(error)))
      .finally(() => underWay.delete(work))
      .catch(() => undefined);
  }

  function free(): Place | undefined {
    const idle = places.filter(({ node, busy }) => node !== null && !busy);
    return idle[Math.floor(random() * idle.length)];
  }

  /** A node that finds no Redis at its start ends, and whoever supervises it starts it again. */
  async function openPatiently(): Promise<PlatformProcess> {
    for (;;) {
      try {
        return await open();
      } catch (error) {
        if (!String(error).includes('REDIS_UNREACHABLE')) throw error;
      }
    }
  }

  async function replace(place: Place, end: (node: PlatformProcess) => Promise<unknown>): Promise<void> {
    const { node } = place;
    if (node === null) return;
    place.busy = true;
    place.node = null;
    await end(node);
    note(node);
    await node[Symbol.asyncDispose]();
    await pause(random() * 2 * heartbeatTimeoutMs);
    place.node = await openPatiently();
    place.busy = false;
  }

  /** A graceful stop has an end, whatever else is going on. */
  async function stopInTime(node: PlatformProcess): Promise<void> {
    const late = setTimeout(() => {
      surprises.push(`a graceful stop took longer than ${STOP_DEADLINE_MS} ms:\n${node.log().slice(-2_000)}`);
      node.signal('SIGKILL');
    }, STOP_DEADLINE_MS);
    await node.stop();
    clearTimeout(late);
  }

  async function stopForAWhile(place: Place): Promise<void> {
    place.busy = true;
    place.node?.signal('SIGSTOP');
    await pause(heartbeatTimeoutMs * (0.3 + 2 * random()));
    place.node?.signal('SIGCONT');
    place.busy = false;
  }

  async function restartRedis(): Promise<void> {
    if (redisBusy) return;
    redisBusy = true;
    await redis.kill();
    await pause(random() < 0.5 ? 0 : random() * 2 * heartbeatTimeoutMs);
    await redis.restart();
    redisBusy = false;
  }

  async function onPlace(work: (place: Place) => Promise<void>): Promise<void> {
    const place = free();
    if (place?.node == null) return;
    if (!isAlive(place.node.pid)) surprises.push(`a node ended by itself:\n${place.node.log().slice(-2_000)}`);
    inBackground(work(place));
  }

  const deeds: readonly Deed[] = [
    {
      name: 'sandbox killed',
      weight: 6,
      run: () => onPlace(async ({ node }) => killOneOf(await childrenOf(node?.pid ?? 0), random)),
    },
    { name: 'node killed', weight: 2, run: () => onPlace((place) => replace(place, (node) => node.kill())) },
    {
      name: 'node stopped gracefully',
      weight: 1,
      run: () => onPlace((place) => replace(place, stopInTime)),
    },
    { name: 'node suspended', weight: 2, run: () => onPlace(stopForAWhile) },
    { name: 'Redis killed', weight: 1, run: async () => inBackground(restartRedis()) },
  ];

  return {
    redis,
    deeds,
    surprises,
    async anyNode() {
      for (;;) {
        const node = free()?.node;
        if (node) return node;
        await pause(50);
      }
    },
    async heal() {
      while (underWay.size > 0) await Promise.all(underWay);
    },
    errors() {
      for (const { node } of places) if (node !== null) note(node);
      return errors;
    },
    async [Symbol.asyncDispose]() {
      await Promise.allSettled(underWay);
      for (const { node } of places) await node?.[Symbol.asyncDispose]();
      await redis[Symbol.asyncDispose]();
    },
  };
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

function killOneOf(pids: readonly number[], random: () => number): void {
  const pid = pids[Math.floor(random() * pids.length)];
  if (pid !== undefined && isAlive(pid)) process.kill(pid, 'SIGKILL');
}
