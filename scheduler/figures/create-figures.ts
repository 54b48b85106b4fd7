import { monitorEventLoopDelay } from 'node:perf_hooks';
import process from 'node:process';
import type { Logger } from 'pino';
import type { RedisAccess } from '#functions';
import type { SandboxInfo, SandboxUsage } from '#runtime';
import type { Fleet } from '../fleet/fleet.ts';
import type { SchedulerKeys } from '../keys.ts';
import {
  type Backlog,
  type Backlogs,
  type Figures,
  type NodeSample,
  type NodeStatus,
  type Probe,
  type RetryCount,
  SAMPLE_MS,
  type Sample,
  type SandboxSum,
  type SelfFigures,
} from './figures.ts';
import { mergeAll, mergeAt, type NodeSamples, probeAt } from './merge-samples.ts';
import type { Meter, Totals } from './meter.ts';
import { createProber, type Prober } from './prober.ts';
import { createRecentWork } from './recent-work.ts';

export interface FiguresOptions {
  readonly access: Pick<RedisAccess, 'client'>;
  readonly keys: Pick<SchedulerKeys, 'samples' | 'nodeFigures' | 'backlogs'>;
  readonly fleet: Pick<Fleet, 'self' | 'consumers' | 'holdsSlot'>;
  readonly meter: Pick<Meter, 'sum' | 'totals'>;
  readonly inspectPool: () => readonly SandboxInfo[];
  /** The same with what each version takes; may take a second. */
  readonly measurePool: () => Promise<readonly SandboxUsage[]>;
  readonly ready: () => boolean;
  readonly retries: () => readonly RetryCount[];
  readonly sandboxLimitBytes: number;
  /** Measures what one node measures for all. */
  readonly probe: () => Promise<Measurement>;
  readonly version: string;
  readonly log: Logger;
}

/** What one node measures for all. */
export interface Measurement {
  readonly probe: Probe;
  readonly backlogs: readonly Backlog[];
}

const HISTORY = 300;
/** Longer than the pause of a node that is busy; shorter than anybody would call it present. */
const STATUS_LIFE_MS = 5_000;
const SAMPLES_LIFE_MS = 600_000;
/** As long as the longest pause between two measurements, twice. */
const BACKLOGS_LIFE_MS = 60_000;
const NS_PER_MS = 1e6;
/** Beats that the work of a registration is told of. */
const WORK_BEATS = 5;
/** Time between two looks at the loop, which is part of what is measured. */
const LOOP_RESOLUTION_MS = 20;

/** Begins to write this node's figures. */
export function createFigures(options: FiguresOptions): Figures {
  return new RedisFigures(options);
}

class RedisFigures implements Figures {
  readonly #options: FiguresOptions;
  readonly #delay: ReturnType<typeof monitorEventLoopDelay>;
  readonly #timer: NodeJS.Timeout;
  readonly #prober: Prober<Measurement>;
  readonly #recentWork = createRecentWork(WORK_BEATS);
  #loopDelayMs = 0;
  /** The measurement that is in Redis. */
  #told: Measurement | null = null;
  #before: { readonly totals: Totals; readonly atMs: number };
  #writing: Promise<void> | null = null;
  #usage: readonly SandboxUsage[] = [];
  #isMeasuring = false;

  constructor(options: FiguresOptions) {
    this.#options = options;
    this.#delay = monitorEventLoopDelay({ resolution: LOOP_RESOLUTION_MS });
    this.#delay.enable();
    this.#prober = createProber(options.probe, options.log);
    this.#before = { totals: structuredClone(options.meter.sum()), atMs: performance.now() };
    this.#timer = setInterval(() => this.#tick(), SAMPLE_MS).unref();
  }

  async latest(): Promise<Sample | null> {
    const nodes = await this.#read(5);
    const newest = Math.max(0, ...nodes.map((samples) => samples.at(-1)?.atMs ?? 0));
    return mergeAt(nodes, newest, probeAt(nodes, newest));
  }

  async history(): Promise<readonly Sample[]> {
    return mergeAll(await this.#read(HISTORY), SAMPLE_MS);
  }

  async nodes(slots: readonly number[]): Promise<ReadonlyMap<number, NodeStatus>> {
    const { access, keys } = this.#options;
    const texts = slots.length === 0 ? [] : await access.client.mget(slots.map((slot) => keys.nodeFigures(slot)));
    const known = slots.flatMap((slot, at) => {
      const text = texts[at];
      return text == null ? [] : [[slot, JSON.parse(text) as NodeStatus] as const];
    });
    return new Map(known);
  }

  async backlogs(): Promise<Backlogs | null> {
    const { access, keys } = this.#options;
    const text = await access.client.get(keys.backlogs);
    return text === null ? null : (JSON.parse(text) as Backlogs);
  }

  self(): SelfFigures {
    return { usage: this.#usage, loopDelayMs: this.#loopDelayMs };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer);
    this.#delay.disable();
    // During an outage nothing of it is worth waiting for.
    await Promise.race([this.#writing, new Promise((resolve) => setTimeout(resolve, SAMPLE_MS).unref())]);
  }

  /** Figures of a second that could not be written are gone: they are for people who look now. */
  #tick(): void {
    const { fleet, log } = this.#options;
    if (this.#isFirst()) this.#prober.ask();
    this.#measure();
    if (this.#writing !== null || !fleet.holdsSlot()) return;
    this.#writing = this.#write()
      .catch((error: unknown) => log.debug({ err: error }, 'figures could not be written'))
      .finally(() => {
        this.#writing = null;
      });
  }

  /** A busy sandbox answers late, and nothing waits for it. */
  #measure(): void {
    if (this.#isMeasuring) return;
    this.#isMeasuring = true;
    const { measurePool, log } = this.#options;
    measurePool()
      .then((usage) => {
        this.#usage = usage;
      })
      .catch((error: unknown) => log.debug({ err: error }, 'the sandboxes could not be measured'))
      .finally(() => {
        this.#isMeasuring = false;
      });
  }

  /** The node in the lowest slot measures for all. */
  #isFirst(): boolean {
    const { fleet } = this.#options;
    const slots = slotsOf(fleet.consumers());
    return fleet.holdsSlot() && Math.min(...slots) === fleet.self.slot;
  }

  async #write(): Promise<void> {
    const { access, keys, fleet, meter, inspectPool, ready, retries, version, sandboxLimitBytes } = this.#options;
    const { slot } = fleet.self;
    const pool = inspectPool();
    const { rss, heapUsed } = process.memoryUsage();
    const turnMs = this.#delay.percentile(99) / NS_PER_MS;
    const loopDelayMs = Math.round(Math.max(0, turnMs - LOOP_RESOLUTION_MS) * 10) / 10;
    this.#delay.reset();
    this.#loopDelayMs = loopDelayMs;
    const status: NodeStatus = {
      atMs: Date.now(),
      version,
      ready: ready(),
      residentBytes: rss,
      heapBytes: heapUsed,
      loopDelayMs,
      retries: retries(),
      sandboxLimitBytes,
      sandboxes: pool.map((one) => sandboxStatus(one, this.#usage)),
      work: this.#recentWork.tick(meter.totals(), performance.now()),
    };
    const newest = this.#isFirst() ? this.#prober.newest() : null;
    const memory = { sandboxes: sumOf(pool), nodeResidentBytes: rss, loopDelayMs };
    const sample: Omit<NodeSample, 'atMs'> = {
      ...this.#sinceLast(),
      ...memory,
      probe: newest?.probe ?? null,
    };
    const samples = keys.samples(slot);
    const writing = access.client
      .multi()
      .set(keys.nodeFigures(slot), JSON.stringify(status), 'PX', STATUS_LIFE_MS)
      .xadd(samples, 'MAXLEN', '~', HISTORY, '*', 'sample', JSON.stringify(sample))
      .pexpire(samples, SAMPLES_LIFE_MS);
    if (newest !== null && newest !== this.#told) {
      const told: Backlogs = {
        atMs: Date.now(),
        items: newest.backlogs,
        deadLetters: newest.probe.deadLetters,
      };
      writing.set(keys.backlogs, JSON.stringify(told), 'PX', BACKLOGS_LIFE_MS);
    }
    await writing.exec();
    this.#told = newest;
  }

  #sinceLast(): Omit<NodeSample, 'atMs' | 'sandboxes' | 'nodeResidentBytes' | 'loopDelayMs' | 'probe'> {
    const { totals: was, atMs } = this.#before;
    const now = structuredClone(this.#options.meter.sum());
    const nowMs = performance.now();
    this.#before = { totals: now, atMs: nowMs };
    const counts = now.durations.map((count, bucket) => [bucket, count - (was.durations[bucket] ?? 0)] as const);
    return {
      spanMs: Math.round(nowMs - atMs),
      entries: {
        done: now.entries.done - was.entries.done,
        filtered: now.entries.filtered - was.entries.filtered,
        dead: now.entries.dead - was.entries.dead,
        expired: now.entries.expired - was.entries.expired,
      },
      executions: now.executions - was.executions,
      errors: now.errors - was.errors,
      retries: now.retries - was.retries,
      durations: counts.filter(([, count]) => count > 0),
    };
  }

  async #read(count: number): Promise<readonly NodeSamples[]> {
    const { access, keys, fleet } = this.#options;
    const read = async (slot: number): Promise<NodeSamples> => {
      const entries = await access.client.xrevrange(keys.samples(slot), '+', '-', 'COUNT', count);
      return entries.reverse().map(([id, [, text = '{}']]) => {
        return { ...(JSON.parse(text) as Omit<NodeSample, 'atMs'>), atMs: Number(id.split('-', 1)[0]) };
      });
    };
    return Promise.all(slotsOf(fleet.consumers()).map(read));
  }
}

function slotsOf(consumers: readonly string[]): readonly number[] {
  return consumers.map((consumer) => Number(consumer.slice(1)));
}

function sandboxStatus(
  { pid, role, residentBytes, versions }: SandboxInfo,
  measured: readonly SandboxUsage[],
): NodeStatus['sandboxes'][number] {
  const known = measured.find((one) => one.pid === pid)?.versions ?? [];
  const isolates = versions.map(({ functionName, version }) => {
    const usage = known.find((one) => one.functionName === functionName && one.version === version)?.usage ?? null;
    const { heapBytes = null, cpuMs = null, batches = null, entries = null } = usage ?? {};
    return { functionName, version, heapBytes, cpuMs, batches, entries };
  });
  return { pid, role, residentBytes, isolates };
}

function sumOf(pool: readonly SandboxInfo[]): SandboxSum {
  const bytes = pool.map(({ residentBytes }) => residentBytes);
  return {
    processes: pool.length,
    isolates: pool.reduce((sum, { versions }) => sum + versions.length, 0),
    residentBytes: bytes.reduce((sum, one) => sum + one, 0),
    largestBytes: Math.max(0, ...bytes),
  };
}
