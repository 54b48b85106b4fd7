import { type Static, Type } from 'typebox';
import { decodeReply, PlatformError } from '#functions';
import type { ExecutionDetail, ExecutionSummary, ResultsPage } from '../../../executions/executions.ts';
import { type JsonValue, jsonValue, parsedValue } from '../../operations/json-values.ts';
import type { HttpDependencies } from '../dependencies.ts';
import { decodeCursor, encodeCursor, pageOf as makePage, wholeList, wrongCursor } from '../paging.ts';
import { defineRoute, type HttpRoute } from '../route.ts';
import { LogLineShape, logLineJson } from '../schemas/log-line.ts';
import { AtMs, Count, nullable, OrNull, PAGING, pageOf, SpanMs, shape, Value, words } from '../schemas/parts.ts';

const area = 'Executions';
const STATUSES = ['created', 'running', 'done', 'aborted'] as const;
const SHARD_STATUSES = [...STATUSES, 'pending_run', 'pending_cluster', 'pending_termination'] as const;
const id = Type.String({ minLength: 1, maxLength: 200, description: 'Id of an execution' });
const MOST_LINES = 1_000;

const SUMMARY = {
  id: Type.String(),
  status: words(STATUSES),
  functionName: Type.String(),
  reader: Type.String(),
  createdAtMs: AtMs,
  endedAtMs: OrNull.atMs,
  durationMs: nullable(SpanMs),
  recordsRead: Count,
  results: OrNull.count,
  errors: Count,
};
export const ExecutionShape = shape(SUMMARY, 'Execution');
export type ExecutionJson = Static<typeof ExecutionShape>;

const Step = { type: Type.String(), arg: OrNull.text };
const ShardShape = shape({
  shardId: Type.String(),
  status: words(SHARD_STATUSES),
  stage: Count,
  stages: Count,
  attempts: Count,
  recordsRead: Count,
  recordsPerSecond: Type.Number(),
  percentRead: nullable(Type.Number()),
  results: OrNull.count,
  errors: Type.Array(Type.String()),
  totalMs: SpanMs,
  readMs: SpanMs,
  steps: Type.Array(shape({ ...Step, durationMs: SpanMs })),
});

const DetailShape = shape(
  {
    ...SUMMARY,
    plan: shape({
      reader: Type.String(),
      argument: Type.Object({}, { additionalProperties: true }),
      steps: Type.Array(shape(Step)),
      mode: Type.String(),
      stages: Count,
    }),
    shards: Type.Array(ShardShape),
    errorTexts: Type.Array(Type.String()),
  },
  'ExecutionDetail',
);

export const ResultsShape = shape(
  {
    id: Type.String(),
    status: words(STATUSES),
    results: Type.Array(Value),
    errors: Type.Array(Type.String(), { description: 'on the last page' }),
    nextCursor: OrNull.text,
  },
  'ExecutionResults',
);

export const RESULTS_QUERY = {
  results: Type.Optional(words(['text', 'json'], '`json`: texts that are JSON are parsed')),
};

/** Batch runs. */
export function executionRoutes(dependencies: HttpDependencies): readonly HttpRoute[] {
  return [...readRoutes(dependencies), ...outcomeRoutes(dependencies), ...changeRoutes(dependencies)];
}

function readRoutes({ executions }: HttpDependencies): readonly HttpRoute[] {
  return [
    defineRoute({
      ...{ method: 'GET', path: '/v1/executions', role: 'read', area },
      summary: 'List executions',
      query: {
        ...PAGING,
        status: Type.Optional(words(STATUSES)),
        function: Type.Optional(Type.String()),
        reader: Type.Optional(Type.String()),
        sinceMs: Type.Optional(AtMs),
      },
      answers: { 200: { description: 'Running and ended ones, newest first', schema: pageOf(ExecutionShape) } },
      async handle({ query }) {
        const { limit, cursor, status, sinceMs = 0 } = query;
        const before = placeIn(cursor);
        const found = (await executions.list()).filter((one) => {
          if (numberOf(one) >= before || one.createdAtMs < sinceMs) return false;
          if (status !== undefined && one.status !== status) return false;
          if (query.function !== undefined && one.functionName !== query.function) return false;
          return query.reader === undefined || one.reader === query.reader;
        });
        const newestFirst = found.map(executionJson).sort((a, b) => numberOf(b) - numberOf(a));
        return { body: makePage(newestFirst, limit, (one) => String(numberOf(one))) };
      },
    }),
    defineRoute({
      ...{ method: 'GET', path: '/v1/executions/{id}', role: 'read', area },
      summary: 'Show an execution with its plan and shards',
      params: { id },
      answers: { 200: { description: 'The execution', schema: DetailShape } },
      handle: async ({ params }) => ({ body: detailJson(await executions.view(params.id)) }),
    }),
  ];
}

function outcomeRoutes({ executions, journal }: HttpDependencies): readonly HttpRoute[] {
  return [
    defineRoute({
      ...{ method: 'GET', path: '/v1/executions/{id}/results', role: 'invoke', area },
      summary: 'Read results of an ended execution, page by page',
      description:
        'One that was started to be followed (`regears run`) gives pages while it runs, empty ones until more has come.',
      params: { id },
      query: { cursor: PAGING.cursor, ...RESULTS_QUERY },
      answers: { 200: { description: 'A page of results', schema: ResultsShape } },
      async handle({ params, query }) {
        const page = await executions.page(params.id, decodeCursor(query.cursor) ?? '0');
        const { summary } = await executions.view(params.id);
        return { body: { id: params.id, status: statusOf(summary), ...resultsJson(page, query.results) } };
      },
    }),
    defineRoute({
      ...{ method: 'GET', path: '/v1/executions/{id}/logs', role: 'read', area },
      summary: 'What the function of an execution wrote while it ran',
      description: 'Lines of other runs of the same source at the same time are among them.',
      params: { id },
      answers: { 200: { description: 'Lines, oldest first', schema: pageOf(LogLineShape) } },
      async handle({ params }) {
        const { summary } = await executions.view(params.id);
        const { functionName, createdAtMs, endedAtMs } = summary;
        const lines = await journal.logs(functionName, `${Math.max(0, createdAtMs - 1)}-0`, MOST_LINES);
        const upTo = endedAtMs === null ? Number.POSITIVE_INFINITY : endedAtMs + LATE_LINES_MS;
        return { body: wholeList(lines.map(logLineJson).filter(({ atMs }) => atMs <= upTo)) };
      },
    }),
  ];
}

/** Lines are written a moment after they were said. */
const LATE_LINES_MS = 1_000;

function changeRoutes({ executions }: HttpDependencies): readonly HttpRoute[] {
  return [
    defineRoute({
      ...{ method: 'POST', path: '/v1/executions/{id}/abort', role: 'admin', area },
      summary: 'End an execution on every shard',
      params: { id },
      deadlineMs: 60_000,
      answers: { 200: { description: 'It has ended', schema: ExecutionShape } },
      async handle({ params }) {
        await executions.abort(params.id);
        return { body: executionJson((await executions.view(params.id)).summary) };
      },
    }),
    defineRoute({
      ...{ method: 'DELETE', path: '/v1/executions/{id}', role: 'admin', area },
      summary: 'Forget an ended execution with its results',
      params: { id },
      answers: { 204: { description: 'It is forgotten' } },
      async handle({ params }) {
        await executions.drop(params.id);
        return {};
      },
    }),
  ];
}

/** Executions have a number in their id, which tells their order. */
function numberOf({ id: text }: { readonly id: string }): number {
  return Number(text.slice(text.lastIndexOf('-') + 1));
}

function placeIn(cursor: string | undefined): number {
  const place = decodeCursor(cursor);
  if (place === null) return Number.POSITIVE_INFINITY;
  if (/^\d{1,15}$/.test(place)) return Number(place);
  throw wrongCursor(cursor ?? '');
}

function statusOf({ status }: ExecutionSummary): ExecutionJson['status'] {
  const known = STATUSES.find((each) => each === status);
  if (known !== undefined) return known;
  throw new PlatformError('INTERNAL', `an execution has status ${status}`);
}

export function executionJson(summary: ExecutionSummary): ExecutionJson {
  const { id: executionId, functionName, reader, createdAtMs, endedAtMs, recordsRead, results, errors } = summary;
  const durationMs = endedAtMs === null ? null : Math.max(0, endedAtMs - createdAtMs);
  const status = statusOf(summary);
  return {
    id: executionId,
    status,
    functionName,
    reader,
    createdAtMs,
    endedAtMs,
    durationMs,
    recordsRead,
    results,
    errors,
  };
}

function detailJson({ summary, outline, errors, shards }: ExecutionDetail): Static<typeof DetailShape> {
  const { run, stages } = outline;
  const { arg, noScan, readValue, count, fromId, untilId } = run;
  return {
    ...executionJson(summary),
    plan: {
      reader: run.reader,
      argument: { arg, noScan, readValue, count, fromId, untilId },
      steps: run.steps.map(({ type, arg: callback }) => ({ type, arg: callback })),
      mode: run.mode,
      stages,
    },
    shards: shards.map((shard) => ({
      ...{ shardId: shard.shardId, status: shard.status, stage: shard.stage, stages: shard.stages },
      ...{ attempts: shard.attempts, recordsRead: shard.recordsRead, recordsPerSecond: shard.recordsPerSecond },
      percentRead: shard.percentRead < 0 ? null : shard.percentRead,
      results: shard.results < 0 ? null : shard.results,
      errors: [...shard.errors],
      totalMs: shard.totalDurationMs,
      readMs: shard.readDurationMs,
      steps: shard.steps
        .toReversed()
        .map(({ type, arg: callback, durationMs }) => ({ type, arg: callback, durationMs })),
    })),
    errorTexts: [...errors],
  };
}

/** A page of results as JSON. */
export function resultsJson(
  { results, errors, cursor }: ResultsPage,
  form: 'text' | 'json' | undefined,
): { readonly results: readonly unknown[]; readonly errors: readonly string[]; readonly nextCursor: string | null } {
  const values = jsonValue(decodeReply(results)) as readonly JsonValue[];
  const shown = form === 'json' ? values.map(parsedValue) : values;
  return { results: shown, errors, nextCursor: cursor === '0' ? null : encodeCursor(cursor) };
}
