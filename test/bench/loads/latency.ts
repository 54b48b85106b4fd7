/**
 * Adds entries to a stream and waits for what a consumer makes of them, in one process and with one clock. The effect is
 * visible when the element that the consumer has pushed has been popped.
 *
 * Arguments (JSON): { port, stream, samples, perSecond }; `perSecond` 0: the next entry is added when the former is through.
 * As many entries again as are counted come before those that count.
 */
import { performance } from 'node:perf_hooks';
import { setTimeout as pause } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { answerEach, ownShare, sayReady, startedWith } from '../asked.ts';
import { percentile } from '../statistics.ts';

interface Arguments {
  readonly port: number;
  readonly stream: string;
  readonly samples: number;
  readonly perSecond: number;
}

/** What the load has found. */
export interface LatencyFigures {
  readonly p50: number;
  readonly p99: number;
  /** Share of a core that this process took. */
  readonly generator: number;
  /** How late entries were added, p99, ms; more than 1 or 2 means that this process did not keep up. */
  readonly lateness: number;
}

interface Samples {
  readonly times: number[];
  readonly late: number[];
}

const LIST = 'out';
const DEADLINE_SECONDS = 10;

const { port, stream, samples, perSecond } = startedWith<Arguments>();
const producer = new Redis(port);
const observer = new Redis(port);

async function pop(): Promise<readonly string[]> {
  const reply = await observer.call('BLMPOP', DEADLINE_SECONDS, 1, LIST, 'LEFT', 'COUNT', 1_000);
  if (reply === null) throw new Error(`No effect within ${DEADLINE_SECONDS} s.`);
  return (reply as [string, string[]])[1];
}

async function oneByOne(): Promise<Samples> {
  const times: number[] = [];
  for (let n = -samples; n < samples; n += 1) {
    const begin = performance.now();
    void producer.xadd(stream, '*', 't', String(n));
    await pop();
    if (n >= 0) times.push(performance.now() - begin);
  }
  return { times, late: [0] };
}

/** Adds what is due by the clock, about every millisecond; how fast effects appear does not slow it down. */
async function addAtRate(addedAt: Float64Array, late: number[]): Promise<void> {
  const begin = performance.now();
  for (let next = 0; next < addedAt.length; await pause(1)) {
    const elapsed = performance.now() - begin;
    const due = Math.min(addedAt.length, Math.floor((elapsed / 1_000) * perSecond));
    if (next < due && next >= samples) late.push(elapsed - (next / perSecond) * 1_000);
    for (; next < due; next += 1) {
      addedAt[next] = performance.now();
      void producer.xadd(stream, '*', 't', String(next));
    }
  }
}

async function atRate(): Promise<Samples> {
  const addedAt = new Float64Array(samples * 2);
  const late: number[] = [];
  const adding = addAtRate(addedAt, late);
  const times: number[] = [];
  for (let seen = 0; seen < addedAt.length; ) {
    const popped = await pop();
    const now = performance.now();
    for (const text of popped) if (Number(text) >= samples) times.push(now - (addedAt[Number(text)] ?? 0));
    seen += popped.length;
  }
  await adding;
  return { times, late };
}

await Promise.all([producer.ping(), observer.ping()]);
sayReady();
await answerEach(async (): Promise<LatencyFigures> => {
  const share = ownShare();
  const { times, late } = perSecond === 0 ? await oneByOne() : await atRate();
  return {
    ...{ p50: percentile(times, 0.5), p99: percentile(times, 0.99) },
    ...{ generator: share(), lateness: percentile(late, 0.99) },
  };
});
