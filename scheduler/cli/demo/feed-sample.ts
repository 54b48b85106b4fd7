import { setTimeout as sleep } from 'node:timers/promises';
import { PlatformError } from '#functions';
import type { DoorClient } from '../client.ts';
import { FORMATS, type LineFormat } from '../feed/entry-format.ts';
import { feedLines } from '../feed/feeder.ts';
import type { Output } from '../render.ts';
import { createCounterReader } from './counters.ts';
import type { SampleLog } from './sample-log.ts';
import { createScreen } from './screen.ts';

/** Streams that the examples listen to. */
export const LOG_STREAM = 'logs:web';
export const CLICK_STREAM = 'events:web';

/** On a terminal the sample is fed slowly enough to see the counters grow. */
const LIVE_ENTRIES_PER_SECOND = 1500;
const LIVE_INTERVAL_MS = 90;
const LINE_INTERVAL_MS = 500;
const COUNT_DEADLINE_MS = 60_000;

export interface SampleRequest {
  readonly door: DoorClient;
  readonly output: Output;
  readonly sample: SampleLog;
  /** Aborted: stop feeding and counting. */
  readonly signal: AbortSignal;
}

/**
 * Feeds the sample, shows the counters as they grow, and resolves with the number of entries when the functions have
 * counted all of them. Throws FAILED when they have not within a minute of the last entry.
 */
export async function feedSample(request: SampleRequest): Promise<number> {
  const { door, output, sample, signal } = request;
  const toFeed = sample.lines.length + sample.clicks.length;
  const counters = createCounterReader(door, sample);
  const before = await counters.counted();
  const screen = createScreen(output);
  const startedAtMs = performance.now();
  const feeding = beginFeeding(request, toFeed);
  const show = async (): Promise<number> => {
    const [counted, shown] = await Promise.all([counters.counted(), counters.read()]);
    const fed = feeding.fed();
    const entriesPerSecond = Math.round((fed * 1000) / (performance.now() - startedAtMs));
    screen.show({ fed, toFeed, counted: counted - before, entriesPerSecond, counters: shown });
    return counted - before;
  };
  try {
    let deadlineMs = Number.POSITIVE_INFINITY;
    void feeding.done.then(
      () => (deadlineMs = performance.now() + COUNT_DEADLINE_MS),
      () => (deadlineMs = 0),
    );
    while ((await show()) < toFeed && !signal.aborted && performance.now() < deadlineMs) {
      await sleep(output.live ? LIVE_INTERVAL_MS : LINE_INTERVAL_MS, undefined, { signal }).catch(() => undefined);
    }
    await feeding.done;
    if (performance.now() >= deadlineMs) throw uncounted(toFeed);
  } finally {
    screen.stop();
  }
  return toFeed;
}

function uncounted(toFeed: number): PlatformError {
  return new PlatformError(
    'FAILED',
    `the examples did not count all ${toFeed} entries in time; see: regears logs, dlq list`,
  );
}

interface Feeding {
  readonly done: Promise<unknown>;
  fed(): number;
}

function beginFeeding({ door, output, sample, signal }: SampleRequest, toFeed: number): Feeding {
  const fed = { [LOG_STREAM]: 0, [CLICK_STREAM]: 0 };
  const feed = (stream: keyof typeof fed, lines: readonly string[], format: LineFormat): Promise<number> => {
    const share = Math.max(1, Math.round((LIVE_ENTRIES_PER_SECOND * lines.length) / toFeed));
    const onProgress = (count: number): void => {
      fed[stream] = count;
    };
    const ratePerSecond = output.live ? share : null;
    return feedLines(bytesOf(lines), {
      door,
      stream,
      format,
      ratePerSecond,
      limit: null,
      maxLength: null,
      onProgress,
      signal,
    });
  };
  const clicks = sample.clicks.map((click) => JSON.stringify(click));
  return {
    done: Promise.all([feed(LOG_STREAM, sample.lines, FORMATS.text), feed(CLICK_STREAM, clicks, FORMATS.ndjson)]),
    fed: () => fed[LOG_STREAM] + fed[CLICK_STREAM],
  };
}

async function* bytesOf(lines: Iterable<string>): AsyncGenerator<Buffer> {
  for (const line of lines) yield Buffer.from(line);
}
