import { type ReadonlySignal, type Signal, signal } from '@preact/signals';
import type { Api } from '../api/client.ts';
import type { ServerEvent } from '../api/event-reader.ts';
import type { NodeInfo, Overview } from '../api/platform-types.ts';
import type { Problem } from '../api/problem.ts';
import type { DeadLetter, Execution, FunctionInfo, Registration, StreamInfo } from '../api/types.ts';
import { createLink, type Link } from './link.ts';

/** What each topic is a list of. */
export interface TopicItems {
  readonly functions: FunctionInfo;
  readonly registrations: Registration;
  readonly streams: StreamInfo;
  readonly executions: Execution;
  readonly nodes: NodeInfo;
  readonly deadLetters: DeadLetter;
}

export type Topic = keyof TopicItems;

/** The newest state of a topic; `items` are the first 200 of `total`. */
export interface TopicState<T> {
  readonly atMs: number;
  readonly items: readonly T[];
  readonly total: number;
}

export const INTERVALS_MS = [1_000, 5_000, 10_000, 60_000] as const;

/** The live lists. One connection for all topics that are looked at; the overview is always among them. */
export interface Feed {
  readonly link: Link;
  readonly overview: ReadonlySignal<Overview | null>;
  readonly intervalMs: ReadonlySignal<number>;
  topic<T extends Topic>(name: T): ReadonlySignal<TopicState<TopicItems[T]> | null>;
  trouble(name: Topic): ReadonlySignal<Problem | null>;
  /** Looks at a topic until the function that it returns is called. */
  watch(name: Topic): () => void;
  setInterval(ms: number): void;
}

const INTERVAL_KEY = 'regears-interval';

interface TopicSignals {
  readonly state: Signal<TopicState<unknown> | null>;
  readonly trouble: Signal<Problem | null>;
  watchers: number;
}

export function createFeed(api: Api): Feed {
  const topics = new Map<string, TopicSignals>();
  const overview = signal<Overview | null>(null);
  const stored = Number(localStorage.getItem(INTERVAL_KEY));
  const intervalMs = signal<number>(INTERVALS_MS.find((ms) => ms === stored) ?? 1_000);
  const of = (name: string): TopicSignals => {
    const known = topics.get(name);
    if (known !== undefined) return known;
    const made: TopicSignals = { state: signal(null), trouble: signal(null), watchers: 0 };
    topics.set(name, made);
    return made;
  };
  const wanted = (): string =>
    [...topics]
      .filter(([, { watchers }]) => watchers > 0)
      .map(([name]) => name)
      .join(',');
  const asked = { topics: '' };
  const link = createLink({
    api,
    path: '/v1/events',
    query: () => {
      asked.topics = wanted();
      return { topics: ['overview', asked.topics].filter(Boolean).join(','), intervalMs: intervalMs.value };
    },
    onEvent: (event) => take(event, of, overview),
  });
  /** After everything that one screen's end and another one's begin have changed. */
  const follow = (): void =>
    queueMicrotask(() => {
      if (wanted() !== asked.topics) link.restart();
    });
  return {
    link,
    overview,
    intervalMs,
    topic: <T extends Topic>(name: T) => of(name).state as ReadonlySignal<TopicState<TopicItems[T]> | null>,
    trouble: (name) => of(name).trouble,
    watch: (name) => {
      of(name).watchers += 1;
      follow();
      return () => {
        of(name).watchers -= 1;
        follow();
      };
    },
    setInterval: (ms) => {
      localStorage.setItem(INTERVAL_KEY, String(ms));
      intervalMs.value = ms;
      link.restart();
    },
  };
}

function take(event: ServerEvent, of: (name: string) => TopicSignals, overview: Signal<Overview | null>): void {
  if (event.event === 'hello' || event.event === 'beat' || event.event === 'bye') return;
  if (event.event === 'overview') {
    overview.value = (event.data as { overview: Overview }).overview;
    return;
  }
  if (event.event === 'trouble') {
    const { topic, problem } = event.data as { topic: string; problem: Problem };
    of(topic).trouble.value = problem;
    return;
  }
  of(event.event).trouble.value = null;
  of(event.event).state.value = event.data as TopicState<unknown>;
}
