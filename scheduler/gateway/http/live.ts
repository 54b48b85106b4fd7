import type { Logger } from 'pino';
import { type Figures, SAMPLE_MS, type Sample } from '../../figures/figures.ts';
import { compareIds } from '../../journal/function-logs.ts';
import type { FunctionLogLine, Journal } from '../../journal/journal.ts';
import type { EventStream } from './event-stream.ts';
import { createPoller, type Poller } from './poller.ts';
import { problemOf } from './problem.ts';
import { isAtLeast, type Level, logLineJson } from './schemas/log-line.ts';

/** Lists that can be followed. */
export const TOPICS = [
  'functions',
  'registrations',
  'streams',
  'executions',
  'nodes',
  'deadLetters',
  'overview',
] as const;
export type Topic = (typeof TOPICS)[number];
export const INTERVALS_MS = [1_000, 5_000, 10_000, 60_000] as const;
export type IntervalMs = (typeof INTERVALS_MS)[number];

/** What is read for a topic: what its event shows beside the time. */
export type TopicReaders = Readonly<Record<Topic, () => Promise<object>>>;

export interface LogWish {
  readonly functionName: string | null;
  readonly level: Level | undefined;
  /** Id of the line behind which it goes on; null = the newest lines first. */
  readonly after: string | null;
}

/** What clients follow; Redis is asked once for all of them. */
export interface Live {
  figures(stream: EventStream): void;
  topics(stream: EventStream, topics: readonly Topic[], intervalMs: IntervalMs): void;
  logs(stream: EventStream, wish: LogWish): void;
}

export interface LiveOptions {
  readonly figures: Pick<Figures, 'latest' | 'history'>;
  readonly journal: Pick<Journal, 'logs'>;
  readonly read: () => TopicReaders;
  readonly log: Logger;
}

const LOG_EVERY_MS = 500;
const LINES_AT_ONCE = 1_000;
const FIRST_LINES = 100;

export function createLive(options: LiveOptions): Live {
  const { figures, log } = options;
  const latest = createPoller({ read: () => figures.latest(), intervalMs: SAMPLE_MS, log });
  const topics = new Map<string, Poller<string>>();
  const topicPoller = (topic: Topic, intervalMs: IntervalMs): Poller<string> => {
    const name = `${topic} ${intervalMs}`;
    const known = topics.get(name);
    if (known !== undefined) return known;
    const read = async (): Promise<string> => JSON.stringify(await options.read()[topic]());
    const poller = createPoller({ read, intervalMs, log });
    topics.set(name, poller);
    return poller;
  };
  const followLogs = createLogFollower(options);
  return {
    figures: (stream) => void followFigures(stream, figures, latest),
    topics(stream, wanted, intervalMs) {
      for (const topic of new Set(wanted)) followTopic(stream, topic, topicPoller(topic, intervalMs));
    },
    logs: (stream, wish) => void followLogs(stream, wish),
  };
}

async function followFigures(
  stream: EventStream,
  figures: Pick<Figures, 'history'>,
  latest: Poller<Sample | null>,
): Promise<void> {
  let lastAtMs = 0;
  try {
    const samples = await figures.history();
    stream.send('history', { intervalMs: SAMPLE_MS, samples });
    lastAtMs = samples.at(-1)?.atMs ?? 0;
  } catch (error) {
    stream.send('trouble', { topic: 'figures', problem: problemOf(error, '') });
  }
  untilGone(stream, {
    poller: latest,
    topic: 'figures',
    onValue(sample) {
      if (sample === null || sample.atMs <= lastAtMs) return;
      lastAtMs = sample.atMs;
      stream.send('sample', sample);
    },
  });
}

/** A list is sent when it is not what was sent before. */
function followTopic(stream: EventStream, topic: Topic, poller: Poller<string>): void {
  let sent = '';
  untilGone(stream, {
    poller,
    topic,
    onValue(text) {
      if (text === sent) return;
      sent = text;
      stream.send(topic, { atMs: Date.now(), ...(JSON.parse(text) as object) });
    },
  });
}

interface Following<Value> {
  readonly poller: Poller<Value>;
  readonly topic: string;
  onValue(value: Value): void;
}

function untilGone<Value>(stream: EventStream, { poller, topic, onValue }: Following<Value>): void {
  if (stream.signal.aborted) return;
  const onTrouble = (error: unknown): void => stream.send('trouble', { topic, problem: problemOf(error, '') });
  stream.signal.addEventListener('abort', poller.follow({ onValue, onTrouble }), { once: true });
}

/** Lines of all functions are read once; each client takes its own out of them. */
function createLogFollower({ journal, log }: LiveOptions): (stream: EventStream, wish: LogWish) => Promise<void> {
  let after: string | null = null;
  const read = async (): Promise<readonly FunctionLogLine[]> => {
    const lines = await journal.logs(null, after, after === null ? 1 : LINES_AT_ONCE);
    after = lines.at(-1)?.id ?? after;
    return lines;
  };
  const poller = createPoller({ read, intervalMs: LOG_EVERY_MS, log });
  return async (stream, { functionName, level, after: from }) => {
    let lastId = from ?? '0-0';
    const send = (lines: readonly FunctionLogLine[]): void => {
      for (const line of lines) {
        if (compareIds(line.id, lastId) <= 0) continue;
        lastId = line.id;
        const shown = logLineJson(line);
        const isWanted = functionName === null || line.functionName === functionName;
        if (isWanted && isAtLeast(shown, level)) stream.send('line', shown, line.id);
      }
    };
    const missed = async (): Promise<void> => {
      send(await journal.logs(functionName, from, from === null ? FIRST_LINES : LINES_AT_ONCE));
    };
    await missed().catch((error: unknown) => stream.send('trouble', { topic: 'logs', problem: problemOf(error, '') }));
    untilGone(stream, { poller, topic: 'logs', onValue: send });
  };
}
