import { useEffect, useRef, useState } from 'preact/hooks';
import type { Query } from '../api/client.ts';
import { type Problem, problemOf } from '../api/problem.ts';
import type { List } from '../api/types.ts';
import { useApp } from './app.ts';
import type { Topic, TopicItems } from './feed.ts';

export interface ListState<T> {
  /** Null until something is known. */
  readonly data: readonly T[] | null;
  readonly total: number;
  readonly problem: Problem | null;
}

/** A list as long as the screen looks at it, live, also beyond the first 200; `path` answers it whole. */
export function useList<T extends Topic>(topic: T, path: string): ListState<TopicItems[T]> {
  const { feed } = useApp();
  useEffect(() => feed.watch(topic), [feed, topic]);
  const state = feed.topic(topic).value;
  const trouble = feed.trouble(topic).value;
  const isLong = state !== null && state.total > state.items.length;
  const turn = Math.floor((state?.atMs ?? 0) / LONG_LIST_MS);
  const whole = useFetched<List<TopicItems[T]>>(isLong ? path : null, {}, turn);
  const known = state?.items ?? null;
  const data = isLong ? (whole.data?.items ?? known) : known;
  return { data, total: state?.total ?? 0, problem: trouble ?? whole.problem };
}

/** Long lists are asked for no more often than this, however often they change. */
const LONG_LIST_MS = 5_000;

export interface Fetched<T> {
  readonly data: T | null;
  readonly problem: Problem | null;
  readonly reload: () => void;
}

/**
 * The answer of a route, asked again when path, query or `version` change, never before the answer to the question
 * before. What is known stays until something newer is; another path begins anew. Null asks nothing.
 */
export function useFetched<T>(path: string | null, query: Query = {}, version: unknown = 0): Fetched<T> {
  const { api } = useApp();
  const [state, setState] = useState<{ key: string; data: T | null; problem: Problem | null }>(NOTHING);
  const [reloads, setReloads] = useState(0);
  const flight = useRef({ isFlying: false, isWanted: false, key: '' });
  const key = path === null ? '' : `${path}?${JSON.stringify(query)}`;
  useEffect(() => {
    if (path === null) return;
    const { current } = flight;
    const isSame = current.key === key;
    current.key = key;
    if (current.isFlying && isSame) {
      current.isWanted = true;
      return;
    }
    const ask = async (): Promise<void> => {
      current.isFlying = true;
      const answer = await api.get<T>(path, query).then(
        (data) => ({ data, problem: null }),
        (error: unknown) => ({ data: null, problem: problemOf(error) }),
      );
      if (current.key !== key) return;
      current.isFlying = false;
      setState((before) => ({
        key,
        data: answer.data ?? (before.key === key ? before.data : null),
        problem: answer.problem,
      }));
      if (!current.isWanted) return;
      current.isWanted = false;
      await ask();
    };
    void ask();
  }, [key, version, reloads]);
  const isOurs = state.key === key;
  return {
    data: isOurs ? state.data : null,
    problem: isOurs ? state.problem : null,
    reload: () => setReloads((count) => count + 1),
  };
}

const NOTHING = { key: '', data: null, problem: null };
