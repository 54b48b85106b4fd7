import { useEffect } from 'preact/hooks';
import { useApp } from './app.ts';
import type { Topic } from './feed.ts';

/** When a topic last changed, for screens that ask a route again whenever it does. */
export function useTopicAge(topic: Topic): number {
  const { feed } = useApp();
  useEffect(() => feed.watch(topic), [feed, topic]);
  return feed.topic(topic).value?.atMs ?? 0;
}
