import { Type } from 'typebox';
import { PlatformError } from '#functions';
import { SAMPLE_MS } from '../../../figures/figures.ts';
import type { HttpDependencies } from '../dependencies.ts';
import { INTERVALS_MS, type IntervalMs, TOPICS, type Topic } from '../live.ts';
import { wholeList } from '../paging.ts';
import { defineRoute, type HttpRoute } from '../route.ts';
import { isAtLeast, LEVELS, LogLineShape, logLineJson } from '../schemas/log-line.ts';
import { OrNull, PAGING, shape } from '../schemas/parts.ts';
import { HistoryShape } from '../schemas/sample.ts';

const area = 'Live';
const EVENTS = { description: 'Server-sent events', type: 'text/event-stream' };
const LogId = Type.String({ pattern: '^\\d{1,20}-\\d{1,20}$', description: 'id of a line' });
const LOG_QUERY = {
  function: Type.Optional(Type.String()),
  level: Type.Optional(Type.Unsafe<(typeof LEVELS)[number]>({ type: 'string', enum: LEVELS })),
  after: Type.Optional(LogId),
};

/** Figures, lists and lines as they change; and the lines as a list. */
export function liveRoutes(dependencies: HttpDependencies): readonly HttpRoute[] {
  return [...figureRoutes(dependencies), topicsRoute(dependencies), ...logRoutes(dependencies)];
}

function figureRoutes({ figures, live }: HttpDependencies): readonly HttpRoute[] {
  return [
    defineRoute({
      ...{ method: 'GET', path: '/v1/live', role: 'read', area },
      summary: 'Follow the figures of the fleet',
      description: 'Events: `history` with up to five minutes, then `sample` each second.',
      answers: { 200: EVENTS },
      handle: () => ({ events: (stream) => live.figures(stream) }),
    }),
    defineRoute({
      ...{ method: 'GET', path: '/v1/live/history', role: 'read', area },
      summary: 'The figures of the last five minutes',
      answers: { 200: { description: 'One sample a second, oldest first', schema: HistoryShape } },
      handle: async () => ({ body: { intervalMs: SAMPLE_MS, samples: await figures.history() } }),
    }),
  ];
}

function topicsRoute({ live }: HttpDependencies): HttpRoute {
  return defineRoute({
    ...{ method: 'GET', path: '/v1/events', role: 'read', area },
    summary: 'Follow lists',
    description: 'Events named after the topics, at once and then whenever a list has changed.',
    query: {
      topics: Type.String({ minLength: 1, maxLength: 200, description: `some of ${TOPICS.join(', ')}, with commas` }),
      intervalMs: Type.Optional(Type.Unsafe<IntervalMs>({ type: 'integer', enum: INTERVALS_MS })),
    },
    answers: { 200: EVENTS },
    handle({ query }) {
      const topics = query.topics.split(',').map(topicOf);
      return { events: (stream) => live.topics(stream, topics, query.intervalMs ?? 1_000) };
    },
  });
}

function topicOf(name: string): Topic {
  const topic = TOPICS.find((each) => each === name.trim());
  if (topic !== undefined) return topic;
  const message = `topic "${name.slice(0, 100)}" is unknown; there are ${TOPICS.join(', ')}`;
  throw new PlatformError('ARGUMENT_INVALID', message, { details: { at: 'querystring', path: '/topics' } });
}

function logRoutes({ journal, live }: HttpDependencies): readonly HttpRoute[] {
  return [
    defineRoute({
      ...{ method: 'GET', path: '/v1/logs', role: 'read', area: 'Logs' },
      summary: 'What functions wrote, newest last',
      description: 'Go on behind `nextCursor` with `after`: it is never null once there is a line.',
      query: { ...LOG_QUERY, limit: PAGING.limit },
      answers: {
        200: { description: 'Lines', schema: shape({ items: Type.Array(LogLineShape), nextCursor: OrNull.text }) },
      },
      async handle({ query }) {
        const lines = await journal.logs(query.function ?? null, query.after ?? null, query.limit);
        const items = lines.map(logLineJson).filter((line) => isAtLeast(line, query.level));
        return { body: { ...wholeList(items), nextCursor: lines.at(-1)?.id ?? query.after ?? null } };
      },
    }),
    defineRoute({
      ...{ method: 'GET', path: '/v1/logs/live', role: 'read', area: 'Logs' },
      summary: 'Follow what functions write',
      description: 'Events `line`. Header `Last-Event-ID` counts as `after`.',
      query: LOG_QUERY,
      answers: { 200: EVENTS },
      handle({ query, headers }) {
        const last = headers['last-event-id'];
        const after = typeof last === 'string' && /^\d{1,20}-\d{1,20}$/.test(last) ? last : (query.after ?? null);
        const wish = { functionName: query.function ?? null, level: query.level, after };
        return { events: (stream) => live.logs(stream, wish) };
      },
    }),
  ];
}
