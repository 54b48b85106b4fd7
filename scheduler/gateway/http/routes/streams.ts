import { type Static, Type } from 'typebox';
import { latin1FromUtf8, timeOfId } from '#functions';
import { bytesText } from '../../operations/json-values.ts';
import { reportStream, reportStreams, type StreamReport } from '../../operations/stream-reports.ts';
import type { HttpDependencies } from '../dependencies.ts';
import { decodeCursor, pageOf as makePage, wholeList, wrongCursor } from '../paging.ts';
import { defineRoute, type HttpRoute } from '../route.ts';
import { BytesText, Count, nullable, OrNull, PAGING, pageOf, SpanMs, shape } from '../schemas/parts.ts';

const area = 'Streams';
const stream = Type.String({ minLength: 1, maxLength: 4_096, description: 'Key of a stream' });

const ConsumerShape = shape({
  name: Type.String(),
  pending: Count,
  idleMs: SpanMs,
  alive: Type.Boolean(),
  nodeId: OrNull.text,
});

const GroupShape = shape({
  registrationId: Type.String(),
  functionName: Type.String(),
  mode: Type.String(),
  state: nullable(Type.String()),
  unread: OrNull.count,
  unreadIsExact: Type.Boolean(),
  pending: Count,
  waiting: Count,
  lagAgeMs: nullable(SpanMs),
  oldestUnreadAtMs: OrNull.atMs,
  oldestPendingAtMs: OrNull.atMs,
  lastDeliveredId: Type.String(),
  consumers: Type.Array(ConsumerShape),
});

export const StreamShape = shape(
  {
    stream: Type.String(),
    internal: Type.Boolean({ description: 'kept by the platform for ticks, items, messages or keys' }),
    length: Count,
    firstEntryAtMs: OrNull.atMs,
    lastEntryAtMs: OrNull.atMs,
    groups: Type.Array(GroupShape),
  },
  'Stream',
);

const EntryShape = shape({
  id: Type.String(),
  atMs: OrNull.atMs,
  fields: Type.Array(Type.Array(BytesText, { minItems: 2, maxItems: 2 })),
});

/** Streams that registrations read, with their consumer groups. */
export function streamRoutes(dependencies: HttpDependencies): readonly HttpRoute[] {
  const { access } = dependencies;
  return [
    defineRoute({
      ...{ method: 'GET', path: '/v1/streams', role: 'read', area },
      summary: 'List streams with lag and consumers',
      query: { registration: Type.Optional(Type.String()) },
      answers: { 200: { description: 'Streams of registrations in force', schema: pageOf(StreamShape) } },
      async handle({ query }) {
        const wanted = query.registration;
        const reports = await reportStreams(dependencies, {
          wanted: ({ spec }) => wanted === undefined || spec.id === wanted,
        });
        return { body: wholeList(reports.map(streamJson)) };
      },
    }),
    defineRoute({
      ...{ method: 'GET', path: '/v1/streams/{stream}', role: 'read', area },
      summary: 'Show a stream',
      params: { stream },
      answers: { 200: { description: 'The stream', schema: StreamShape } },
      handle: async ({ params }) => ({ body: streamJson(await reportStream(dependencies, params.stream)) }),
    }),
    defineRoute({
      ...{ method: 'GET', path: '/v1/streams/{stream}/entries', role: 'read', area },
      summary: 'Look at entries of a stream, newest first',
      description: 'Only of streams that a registration in force reads.',
      params: { stream },
      query: PAGING,
      answers: { 200: { description: 'Entries', schema: pageOf(EntryShape) } },
      async handle({ params, query }) {
        await reportStream(dependencies, params.stream);
        const key = Buffer.from(latin1FromUtf8(params.stream), 'latin1');
        const from = beginOf(query.cursor);
        const entries = await access.client.xrevrangeBuffer(key, from, '-', 'COUNT', query.limit + 1);
        const items = entries.map(([id, fields]) => entryJson(id.toString(), fields));
        return { body: makePage(items, query.limit, ({ id }) => id) };
      },
    }),
  ];
}

function beginOf(cursor: string | undefined): string {
  const place = decodeCursor(cursor);
  if (place === null) return '+';
  if (/^\d+-\d+$/.test(place)) return `(${place}`;
  throw wrongCursor(cursor ?? '');
}

function entryJson(id: string, fields: readonly Buffer[]): Static<typeof EntryShape> {
  const texts = fields.map((field) => bytesText(field.toString('latin1')));
  const pairs = Array.from({ length: Math.floor(texts.length / 2) }, (_, at) => texts.slice(2 * at, 2 * at + 2));
  const atMs = timeOfId(id);
  return { id, atMs: Number.isSafeInteger(atMs) ? atMs : null, fields: pairs };
}

export function streamJson(report: StreamReport): Static<typeof StreamShape> {
  const groups = report.groups.map((group) => ({ ...group, consumers: group.consumers.map((one) => ({ ...one })) }));
  return { ...report, groups };
}
