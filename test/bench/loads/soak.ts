/**
 * Adds entries to many streams in turn, at a rate or as fast as they are worked on, and waits for the effect of every
 * hundredth. Answers each question { seconds, perSecond } with what it has found; `perSecond` null: full load.
 *
 * Arguments (JSON): { port, streams }; the streams are `soak:0`, `soak:1` …
 */
import { performance } from 'node:perf_hooks';
import { setTimeout as pause } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { answerEach, ownShare, sayReady, startedWith } from '../asked.ts';
import { percentile } from '../statistics.ts';

export interface SoakQuestion {
  readonly seconds: number;
  readonly perSecond: number | null;
}

/** What one window has found. */
export interface SoakFigures {
  /** Entries added, all of which were worked on. */
  readonly perSecond: number;
  readonly p50: number;
  readonly p99: number;
  readonly generator: number;
}

const PROBE_EVERY = 100;
/** At full load: entries that may be under way. */
const MOST_AHEAD = 20_000;
/** Entries of a stream that are kept. */
const KEPT = 20_000;
const AT_ONCE = 500;
const LIST = 'probes';
const DEADLINE_MS = 60_000;

const { port, streams } = startedWith<{ readonly port: number; readonly streams: number }>();
const producer = new Redis(port);
const observer = new Redis(port);
let added = 0;
let probes = 0;
const sentAt = new Map<string, number>();
const times: number[] = [];

async function observe(): Promise<never> {
  for (;;) {
    const reply = (await observer.call('BLMPOP', 1, 1, LIST, 'LEFT', 'COUNT', 1_000)) as [string, string[]] | null;
    const now = performance.now();
    for (const probe of reply?.[1] ?? []) {
      const at = sentAt.get(probe);
      // What ran twice comes twice.
      if (at !== undefined) times.push(now - at);
      sentAt.delete(probe);
    }
  }
}

function add(count: number): void {
  for (let n = 0; n < count; n += 1) {
    const stream = `soak:${added % streams}`;
    const fields = ['user', `u${added % 5000}`, 'amount', String(added % 1000)];
    if (added % PROBE_EVERY === 0) {
      probes += 1;
      const probe = String(probes);
      sentAt.set(probe, performance.now());
      fields.push('probe', probe);
    }
    added += 1;
    void producer.xadd(stream, 'MAXLEN', '~', KEPT, '*', ...fields);
  }
}

async function addFor({ seconds, perSecond }: SoakQuestion): Promise<number> {
  const begin = performance.now();
  let sum = 0;
  for (let elapsed = 0; elapsed < seconds; elapsed = (performance.now() - begin) / 1_000) {
    const ahead = sentAt.size * PROBE_EVERY + (producer.status === 'ready' ? 0 : MOST_AHEAD);
    const due = perSecond === null ? Math.min(AT_ONCE, MOST_AHEAD - ahead) : Math.floor(elapsed * perSecond) - sum;
    if (due > 0) {
      add(due);
      sum += due;
    }
    if (perSecond !== null || ahead >= MOST_AHEAD) await pause(1);
    else await producer.ping();
  }
  return sum;
}

async function drained(): Promise<void> {
  const giveUp = performance.now() + DEADLINE_MS;
  while (sentAt.size > 0) {
    if (performance.now() > giveUp)
      throw new Error(`${sentAt.size} entries have had no effect within ${DEADLINE_MS} ms.`);
    await pause(5);
  }
}

async function window(question: SoakQuestion): Promise<SoakFigures> {
  times.length = 0;
  const share = ownShare();
  const begin = performance.now();
  const count = await addFor(question);
  // Windows of a rate follow each other without a gap; at full load what is under way belongs to this one.
  if (question.perSecond === null) await drained();
  const perSecond = (count / (performance.now() - begin)) * 1_000;
  return { perSecond, p50: percentile(times, 0.5), p99: percentile(times, 0.99), generator: share() };
}

await Promise.all([producer.ping(), observer.ping()]);
void observe();
sayReady();
await answerEach(window);
