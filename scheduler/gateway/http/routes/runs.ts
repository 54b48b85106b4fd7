import { Type } from 'typebox';
import { decodeReply, isReplyError, latin1FromUtf8, PlatformError, utf8FromLatin1 } from '#functions';
import { argumentBytes, bytesText, jsonValue } from '../../operations/json-values.ts';
import { startRun } from '../../operations/start-run.ts';
import { runTrial, type Trial, type TrialEvent, type TrialSubject } from '../../operations/trial.ts';
import { checkRole } from '../authenticate.ts';
import type { HttpDependencies } from '../dependencies.ts';
import { defineRoute, type HttpRoute } from '../route.ts';
import { Language } from '../schemas/functions.ts';
import {
  BytesText,
  Count,
  nullable,
  RegistrationId,
  SpanMs,
  shape,
  Value,
  VersionNumber,
  words,
} from '../schemas/parts.ts';
import { readUpload, SOURCE_TYPES } from '../upload.ts';
import { RESULTS_QUERY, ResultsShape, resultsJson } from './executions.ts';
import { Argument, Timeout } from './trigger.ts';

const area = 'Running';
const PACKING = 2.5;
const RUN_WAIT_MS = 30_000;
const TRIAL_MS = 10_000;

const RunBody = shape({
  source: Type.Optional(Type.String()),
  files: Type.Optional(Type.Record(Type.String(), Type.String())),
  entry: Type.Optional(Type.String()),
  name: Type.Optional(Type.String({ pattern: '^[A-Za-z0-9_.-]{1,100}$', description: 'what the execution is called' })),
  language: Type.Optional(Language),
});

/** Batch runs, and trials. */
export function runRoutes(dependencies: HttpDependencies): readonly HttpRoute[] {
  return [runRoute(dependencies), tryRoute(dependencies)];
}

function runRoute(dependencies: HttpDependencies): HttpRoute {
  const { executions, settings } = dependencies;
  return defineRoute({
    ...{ method: 'POST', path: '/v1/runs', role: 'admin', area },
    summary: 'Run a source over the data in Redis',
    description: 'With `wait` the answer has the results if they are there in time, else the id of the execution.',
    query: {
      wait: Type.Optional(Type.Boolean({ default: false })),
      timeoutMs: Timeout,
      language: Type.Optional(Language),
      ...RESULTS_QUERY,
    },
    payload: {
      json: RunBody,
      raw: SOURCE_TYPES,
      multipart: true,
      optional: false,
      description: 'send a source that calls run(…)',
    },
    maxBodyBytes: Math.ceil(settings.caps.artifactBytes * PACKING),
    deadlineMs: null,
    answers: {
      200: { description: 'It has ended: the first page of results', schema: ResultsShape },
      202: { description: 'It runs', schema: shape({ id: Type.String(), status: Type.String() }) },
    },
    async handle({ query, payload, signal }) {
      const { source, language, options } = await readUpload(payload, query.language);
      const id = await startRun(dependencies, { id: options.name ?? null, source, language });
      const headers = { location: `/v1/executions/${encodeURIComponent(id)}` };
      const timeout = AbortSignal.timeout(query.timeoutMs ?? RUN_WAIT_MS);
      const isOver = query.wait === true && (await endsBefore(executions, id, AbortSignal.any([timeout, signal])));
      const { summary } = await executions.view(id);
      if (!isOver) return { status: 202, headers, body: { id, status: summary.status } };
      const page = await executions.page(id, '0');
      return { headers, body: { id, status: summary.status, ...resultsJson(page, query.results) } };
    },
  });
}

async function endsBefore(
  executions: HttpDependencies['executions'],
  id: string,
  signal: AbortSignal,
): Promise<boolean> {
  try {
    await executions.waitForEnd(id, signal);
    return true;
  } catch (error) {
    if (signal.aborted) return false;
    throw error;
  }
}

const Fields = Type.Record(Type.String(), BytesText);

const TrialBody = shape(
  {
    registrationId: Type.Optional(RegistrationId),
    version: Type.Optional(VersionNumber),
    source: Type.Optional(Type.String()),
    language: Type.Optional(Language),
    registration: Type.Optional(Type.Union([Type.Integer({ minimum: 0 }), Type.String()])),
    command: Type.Optional(shape({ args: Type.Array(Argument, { maxItems: 10_000 }) })),
    entry: Type.Optional(
      shape({
        stream: Type.Optional(Type.String()),
        id: Type.Optional(Type.String({ pattern: '^\\d{1,20}-\\d{1,20}$' })),
        fields: Fields,
      }),
    ),
    key: Type.Optional(shape({ key: BytesText, event: Type.String() })),
    timeoutMs: Type.Optional(Type.Integer({ minimum: 1, maximum: 600_000 })),
  },
  'Trial',
);

const TrialShape = shape({
  outcome: words(['done', 'filtered', 'failed']),
  results: Type.Array(Value),
  error: nullable(shape({ code: Type.String(), name: Type.String(), message: Type.String(), stack: Type.String() })),
  logs: Type.Array(shape({ level: Type.String(), message: Type.String() })),
  commands: Type.Array(shape({ args: Type.Array(BytesText), reply: Value, error: nullable(Type.String()) })),
  commandsDropped: Count,
  durationMs: SpanMs,
  functionName: Type.String(),
  version: Type.Integer(),
  registrationId: Type.String(),
});

function tryRoute(dependencies: HttpDependencies): HttpRoute {
  return defineRoute({
    ...{ method: 'POST', path: '/v1/try', role: 'invoke', area },
    summary: 'Run one sample through a function, and see what it does',
    description:
      'For real, but outside of streams, retries, counters and dead letters. Of a registration (`registrationId`, with `version` another version ' +
      'than the one in force), or of a source that is not uploaded (role admin). The sample is `command`, `entry` or `key`.',
    body: TrialBody,
    maxBodyBytes: Math.ceil(dependencies.settings.caps.artifactBytes * PACKING),
    deadlineMs: null,
    answers: { 200: { description: 'What it did', schema: TrialShape } },
    async handle({ body, caller, signal }) {
      const subject = subjectOf(body);
      if (subject.kind === 'source') checkRole(caller, 'admin');
      const timeout = AbortSignal.timeout(body.timeoutMs ?? TRIAL_MS);
      const trial = await runTrial(dependencies, {
        subject,
        event: eventOf(body),
        signal: AbortSignal.any([timeout, signal]),
      });
      return { body: trialJson(trial) };
    },
  });
}

interface TrialWish {
  readonly registrationId?: string;
  readonly version?: number;
  readonly source?: string;
  readonly language?: 'js' | 'ts';
  readonly registration?: number | string;
  readonly command?: { readonly args: readonly unknown[] };
  readonly entry?: {
    readonly stream?: string;
    readonly id?: string;
    readonly fields: Readonly<Record<string, unknown>>;
  };
  readonly key?: { readonly key: unknown; readonly event: string };
}

function subjectOf({ registrationId, version, source, language = 'js', registration }: TrialWish): TrialSubject {
  if (registrationId !== undefined && source === undefined)
    return { kind: 'registration', id: registrationId, version };
  if (source !== undefined && registrationId === undefined) return { kind: 'source', source, language, registration };
  throw wrong('give either registrationId or source');
}

function eventOf({ command, entry, key }: TrialWish): TrialEvent {
  if ([command, entry, key].filter((one) => one !== undefined).length !== 1)
    throw wrong('give one of command, entry and key');
  if (command !== undefined) return { kind: 'command', args: command.args.map(argumentBytes) };
  if (key !== undefined) return { kind: 'key', key: argumentBytes(key.key), event: key.event };
  const { stream = 'sample', id = `${Date.now()}-0`, fields = {} } = entry ?? {};
  const pairs = Object.entries(fields).map(([name, value]) => [latin1FromUtf8(name), argumentBytes(value)] as const);
  return { kind: 'entry', stream: latin1FromUtf8(stream), id, fields: pairs };
}

function wrong(message: string): PlatformError {
  return new PlatformError('ARGUMENT_INVALID', message, { details: { at: 'body', path: '' } });
}

function trialJson({ results, commands, error, logs, ...rest }: Trial): object {
  return {
    ...rest,
    results: jsonValue(decodeReply(results)),
    error: error === null ? null : { ...error },
    logs,
    commands: commands.map(({ args, reply }) => ({
      args: args.map(bytesText),
      reply: isReplyError(reply) ? null : jsonValue(reply),
      error: isReplyError(reply) ? utf8FromLatin1(reply.message) : null,
    })),
  };
}
