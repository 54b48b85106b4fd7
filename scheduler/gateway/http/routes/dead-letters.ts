import { type Static, Type } from 'typebox';
import { decodeReply, PlatformError, utf8FromLatin1 } from '#functions';
import type { LetterFilter, RedriveResult } from '../../../journal/dead-letters.ts';
import { type KeptLetter, LETTER_ORDERS } from '../../../journal/letter-source.ts';
import { type BytesText as BytesTextValue, bytesText } from '../../operations/json-values.ts';
import type { HttpDependencies } from '../dependencies.ts';
import { decodeCursor, pageOf as makePage } from '../paging.ts';
import { defineRoute, type HttpRoute } from '../route.ts';
import { AtMs, BytesText, Count, PAGING, pageOf, shape, words } from '../schemas/parts.ts';

const area = 'Dead letters';
const id = Type.String({ minLength: 1, maxLength: 4_096, description: 'Id of a dead letter' });
const MOST_IDS = 1_000;

const LETTER = {
  id: Type.String(),
  registrationId: Type.String(),
  functionName: Type.String(),
  version: Type.Integer(),
  stream: Type.String(),
  entryId: Type.String(),
  attempts: Count,
  reason: Type.String(),
  errorCode: Type.String(),
  errorMessage: Type.String(),
  diedAtMs: AtMs,
};
export const DeadLetterShape = shape(LETTER, 'DeadLetter');
const DetailShape = shape(
  {
    ...LETTER,
    errorStack: Type.String(),
    fields: Type.Array(Type.Array(BytesText, { minItems: 2, maxItems: 2 }), {
      description: 'empty when the entry had been trimmed away',
    }),
  },
  'DeadLetterDetail',
);

const FILTERS = {
  function: Type.Optional(Type.String()),
  registration: Type.Optional(Type.String()),
  error: Type.Optional(Type.String({ description: 'part of the code or the message' })),
  sinceMs: Type.Optional(AtMs),
  untilMs: Type.Optional(AtMs),
};
type Filters = Static<ReturnType<typeof shape<typeof FILTERS>>>;

const ChangeBody = shape({
  filter: shape({ ids: Type.Optional(Type.Array(id, { minItems: 1, maxItems: MOST_IDS })), ...FILTERS }),
  all: Type.Optional(Type.Boolean({ description: 'needed with an empty filter' })),
  dryRun: Type.Optional(Type.Boolean({ description: 'count, and change nothing' })),
});
type Change = Static<typeof ChangeBody>;

const RedriveShape = shape({
  dryRun: Type.Boolean(),
  matched: Count,
  redriven: Count,
  lostToTrim: Count,
  tooLarge: Count,
  gone: Count,
  refused: Type.Array(shape({ id: Type.String(), message: Type.String() })),
});

/** Entries that were given up on. */
export function deadLetterRoutes(dependencies: HttpDependencies): readonly HttpRoute[] {
  return [...readRoutes(dependencies), ...changeRoutes(dependencies)];
}

function readRoutes({ deadLetters }: HttpDependencies): readonly HttpRoute[] {
  return [
    defineRoute({
      ...{ method: 'GET', path: '/v1/dead-letters', role: 'read', area },
      summary: 'List dead letters',
      query: { ...PAGING, ...FILTERS, order: Type.Optional(words(LETTER_ORDERS)) },
      answers: { 200: { description: 'Dead letters', schema: pageOf(DeadLetterShape) } },
      async handle({ query }) {
        const { limit, cursor, order = 'newest' } = query;
        const after = decodeCursor(cursor);
        const letters = await deadLetters.list({ ...filterOf(query), count: limit + 1, after, order });
        return { body: makePage(letters.map(letterJson), limit, (letter) => letter.id) };
      },
    }),
    defineRoute({
      ...{ method: 'GET', path: '/v1/dead-letters/count', role: 'read', area },
      summary: 'Count dead letters',
      query: FILTERS,
      deadlineMs: 60_000,
      answers: { 200: { description: 'How many match', schema: shape({ count: Count }) } },
      handle: async ({ query }) => ({ body: { count: await deadLetters.count(filterOf(query)) } }),
    }),
    defineRoute({
      ...{ method: 'GET', path: '/v1/dead-letters/{id}', role: 'read', area },
      summary: 'Show a dead letter with payload, error and stack',
      params: { id },
      answers: { 200: { description: 'The dead letter', schema: DetailShape } },
      async handle({ params }) {
        const letter = await deadLetters.show(params.id);
        const fields = fieldsOf(letter.payload);
        return { body: { ...letterJson(letter), errorStack: letter.errorStack, fields } };
      },
    }),
  ];
}

function changeRoutes({ deadLetters }: HttpDependencies): readonly HttpRoute[] {
  return [
    defineRoute({
      ...{ method: 'POST', path: '/v1/dead-letters/redrive', role: 'admin', area },
      summary: 'Run dead letters again',
      description: 'With the version that is active now. With `dryRun` nothing changes.',
      body: ChangeBody,
      deadlineMs: null,
      answers: { 200: { description: 'What became of them', schema: RedriveShape } },
      async handle({ body }) {
        const dryRun = body.dryRun ?? false;
        const results = await eachFilter(body, (filter) => deadLetters.redrive(filter, { dryRun }));
        return { body: { dryRun, ...sumOf(results) } };
      },
    }),
    defineRoute({
      ...{ method: 'POST', path: '/v1/dead-letters/discard', role: 'admin', area },
      summary: 'Throw dead letters away for good',
      body: ChangeBody,
      deadlineMs: null,
      answers: {
        200: {
          description: 'How many',
          schema: shape({ dryRun: Type.Boolean(), matched: Count, discarded: Count }),
        },
      },
      async handle({ body }) {
        const dryRun = body.dryRun ?? false;
        const counts = await eachFilter(body, (filter) => deadLetters.discard(filter, { dryRun }));
        const matched = counts.reduce((sum, count) => sum + count, 0);
        return { body: { dryRun, matched, discarded: dryRun ? 0 : matched } };
      },
    }),
  ];
}

/** One filter, or one for each id. ARGUMENT_INVALID for an empty one that nobody has asked for. */
async function eachFilter<T>(
  { filter, all }: Change,
  work: (filter: LetterFilter) => Promise<T>,
): Promise<readonly T[]> {
  const { ids, ...rest } = filter;
  if (ids === undefined && Object.keys(rest).length === 0 && all !== true) {
    const message = 'the filter is empty, which means all dead letters: say so with "all": true';
    throw new PlatformError('ARGUMENT_INVALID', message, { details: { at: 'body', path: '/filter' } });
  }
  const results: T[] = [];
  for (const one of ids === undefined ? [undefined] : new Set(ids)) {
    results.push(await work(one === undefined ? filterOf(rest) : { ...filterOf(rest), id: one }));
  }
  return results;
}

function filterOf(filters: Filters): LetterFilter {
  const { error, sinceMs, untilMs } = filters;
  return {
    ...(filters.function === undefined ? {} : { functionName: filters.function }),
    ...(filters.registration === undefined ? {} : { registrationId: filters.registration }),
    ...(error === undefined ? {} : { error }),
    ...(sinceMs === undefined ? {} : { sinceMs }),
    ...(untilMs === undefined ? {} : { untilMs }),
  };
}

function sumOf(results: readonly RedriveResult[]): Omit<Static<typeof RedriveShape>, 'dryRun'> {
  const sum = (of: (result: RedriveResult) => number): number => results.reduce((all, one) => all + of(one), 0);
  return {
    matched: sum(({ matched }) => matched),
    redriven: sum(({ redriven }) => redriven),
    lostToTrim: sum(({ lostToTrim }) => lostToTrim),
    tooLarge: sum(({ tooLarge }) => tooLarge),
    gone: sum(({ gone }) => gone),
    refused: results.flatMap(({ refused }) => refused.map((one) => ({ ...one }))),
  };
}

export function letterJson(letter: KeptLetter): Static<typeof DeadLetterShape> {
  const { registrationId, functionName, version, entryId, attempts, reason, errorCode, errorMessage, diedAtMs } =
    letter;
  const stream = utf8FromLatin1(letter.stream);
  const what = { registrationId, functionName, version, stream, entryId };
  return { id: letter.id, ...what, attempts, reason, errorCode, errorMessage, diedAtMs };
}

function fieldsOf(payload: string): BytesTextValue[][] {
  const decoded = payload === '' ? [] : decodeReply(payload);
  const texts = Array.isArray(decoded) ? decoded.map((value) => bytesText(String(value))) : [];
  return Array.from({ length: Math.floor(texts.length / 2) }, (_, at) => texts.slice(2 * at, 2 * at + 2));
}
