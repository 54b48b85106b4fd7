import { type Static, Type } from 'typebox';
import { PlatformError, type RegistrationState } from '#functions';
import { changeState, unregister } from '../../operations/registration-changes.ts';
import {
  endedRuns,
  HEALTHS,
  type RegistrationReport,
  reportRegistrations,
} from '../../operations/registration-reports.ts';
import type { HttpDependencies } from '../dependencies.ts';
import { wholeList } from '../paging.ts';
import { type Caller, defineRoute, type HttpRoute } from '../route.ts';
import {
  AtMs,
  Count,
  nullable,
  OrNull,
  pageOf,
  RegistrationId,
  Revision,
  SpanMs,
  shape,
  words,
} from '../schemas/parts.ts';

const area = 'Registrations';
const id = RegistrationId;
const STATES = ['running', 'paused', 'aborted', 'quarantined'] as const satisfies readonly RegistrationState[];
const KINDS = ['stream', 'command', 'hook', 'keys', 'schedule', 'list', 'pubsub'] as const;

const StatisticsShape = shape({
  triggered: Count,
  succeeded: Count,
  failed: Count,
  aborted: Count,
  lastRunMs: SpanMs,
  averageRunMs: SpanMs,
  lastLagMs: SpanMs,
  averageLagMs: SpanMs,
  lastError: OrNull.text,
  done: Count,
  filtered: Count,
  dead: Count,
  expired: Count,
  lostToTrim: Count,
  retries: Count,
});

export const RegistrationShape = shape(
  {
    id: Type.String(),
    functionName: Type.String(),
    version: Type.Integer({ minimum: 1 }),
    reader: Type.String(),
    description: OrNull.text,
    mode: words(['sync', 'async', 'async_local']),
    trigger: Type.Object({ kind: words(KINDS) }, { additionalProperties: true }),
    flow: nullable(Type.Object({}, { additionalProperties: true })),
    steps: Type.Array(shape({ type: Type.String(), arg: OrNull.text })),
    state: words(STATES),
    stateReason: OrNull.text,
    health: words(HEALTHS),
    waiting: Count,
    statistics: StatisticsShape,
  },
  'Registration',
);
export type RegistrationJson = Static<typeof RegistrationShape>;

/** Registrations in force, and what may be done with them. */
export function registrationRoutes(dependencies: HttpDependencies): readonly HttpRoute[] {
  return [
    ...readRoutes(dependencies),
    runsRoute(dependencies),
    ...changeRoutes(dependencies),
    ...statisticsRoutes(dependencies),
  ];
}

function readRoutes(dependencies: HttpDependencies): readonly HttpRoute[] {
  return [
    defineRoute({
      ...{ method: 'GET', path: '/v1/registrations', role: 'read', area },
      summary: 'List registrations with their numbers',
      query: {
        function: Type.Optional(Type.String()),
        state: Type.Optional(words(STATES)),
        kind: Type.Optional(words(KINDS)),
      },
      answers: { 200: { description: 'Registrations in force, by id', schema: pageOf(RegistrationShape) } },
      async handle({ query }) {
        const reports = await reportRegistrations(dependencies, ({ functionName, state, spec }) => {
          if (query.function !== undefined && functionName !== query.function) return false;
          if (query.state !== undefined && state !== query.state) return false;
          return query.kind === undefined || spec.trigger.kind === query.kind;
        });
        return { body: wholeList(reports.map(registrationJson)) };
      },
    }),
    defineRoute({
      ...{ method: 'GET', path: '/v1/registrations/{id}', role: 'read', area },
      summary: 'Show a registration',
      params: { id },
      answers: { 200: { description: 'The registration', schema: RegistrationShape } },
      handle: async ({ params }) => ({ body: registrationJson(await findReport(dependencies, params.id)) }),
    }),
  ];
}

const RunShape = shape(
  {
    id: Type.String(),
    registrationId: Type.String(),
    functionName: Type.String(),
    version: Type.Integer(),
    key: Type.String({ description: 'stream they read from' }),
    node: Type.String(),
    startedAtMs: AtMs,
    durationMs: SpanMs,
    executions: Count,
    entries: Count,
    done: Count,
    filtered: Count,
    failed: Count,
    errors: Type.Array(Type.String()),
  },
  'Run',
);

function runsRoute(dependencies: HttpDependencies): HttpRoute {
  const { registeredRuns } = dependencies;
  return defineRoute({
    ...{ method: 'GET', path: '/v1/registrations/{id}/runs', role: 'read', area },
    summary: 'The last executions of a registration',
    description:
      'Those that ran together are one. Kept for a while only (option `MaxExecutionsPerRegistration`); none of commands.',
    params: { id },
    answers: { 200: { description: 'Newest first', schema: pageOf(RunShape) } },
    async handle({ params }) {
      await findReport(dependencies, params.id);
      return { body: wholeList((await registeredRuns.list([params.id])).toReversed()) };
    },
  });
}

function changeRoutes(dependencies: HttpDependencies): readonly HttpRoute[] {
  const changed = { 200: { description: 'Every live node has applied it', schema: Revision } };
  return [
    defineRoute({
      ...{ method: 'POST', path: '/v1/registrations/{id}/pause', role: 'admin', area },
      summary: 'Stop taking up events',
      params: { id },
      body: shape({ reason: Type.Optional(Type.String({ minLength: 1, maxLength: 1_000 })) }),
      bodyOptional: true,
      answers: changed,
      async handle({ params, body, caller }) {
        const reason = body?.reason ?? `paused by ${nameOf(caller)}`;
        return { body: { revision: await changeState(dependencies, { ids: [params.id], state: 'paused', reason }) } };
      },
    }),
    defineRoute({
      ...{ method: 'POST', path: '/v1/registrations/{id}/resume', role: 'admin', area },
      summary: 'Take up events again',
      params: { id },
      answers: changed,
      async handle({ params }) {
        const change = { ids: [params.id], state: 'running', reason: null } as const;
        return { body: { revision: await changeState(dependencies, change) } };
      },
    }),
    defineRoute({
      ...{ method: 'DELETE', path: '/v1/registrations/{id}', role: 'admin', area },
      summary: 'Take a registration out of force',
      description: 'Until its function is loaded or rolled back again.',
      params: { id },
      query: { abortPending: Type.Optional(Type.Boolean({ default: false })) },
      answers: changed,
      async handle({ params, query }) {
        return { body: { revision: await unregister(dependencies, params.id, query.abortPending ?? false) } };
      },
    }),
  ];
}

function statisticsRoutes(dependencies: HttpDependencies): readonly HttpRoute[] {
  const { journal } = dependencies;
  return [
    defineRoute({
      ...{ method: 'DELETE', path: '/v1/registrations/{id}/statistics', role: 'admin', area },
      summary: 'Set the numbers of a registration to zero',
      params: { id },
      answers: { 204: { description: 'They are zero' } },
      async handle({ params }) {
        await findReport(dependencies, params.id);
        await journal.clearStats([params.id]);
        return {};
      },
    }),
    defineRoute({
      ...{ method: 'DELETE', path: '/v1/statistics', role: 'admin', area },
      summary: 'Set the numbers of all registrations to zero',
      answers: { 204: { description: 'They are zero' } },
      async handle() {
        await journal.clearStats();
        return {};
      },
    }),
  ];
}

async function findReport(dependencies: HttpDependencies, wanted: string): Promise<RegistrationReport> {
  const [report] = await reportRegistrations(dependencies, ({ spec }) => spec.id === wanted);
  if (report !== undefined) return report;
  throw new PlatformError('REGISTRATION_NOT_FOUND', `there is no registration ${wanted.slice(0, 200)}`);
}

function nameOf({ name }: Caller): string {
  return name === null ? 'a user of the HTTP door' : `token "${name}"`;
}

/** A registration as the door shows it. */
export function registrationJson({ registration, stats, waiting, health }: RegistrationReport): RegistrationJson {
  const { spec, functionName, version, state, stateReason } = registration;
  const { reader, description, mode, trigger, flow, steps } = spec;
  const ended = endedRuns(stats);
  return {
    ...{ id: spec.id, functionName, version, reader, description, mode, state, stateReason, health, waiting },
    trigger: { ...trigger },
    flow: flow === undefined ? null : { ...flow },
    steps: steps.map(({ type, arg }) => ({ type, arg })),
    statistics: {
      triggered: stats.numTriggered,
      succeeded: stats.numSuccess,
      failed: stats.numFailures,
      aborted: stats.numAborted,
      lastRunMs: stats.lastRunDurationMs,
      averageRunMs: average(stats.totalRunDurationMs, ended),
      lastLagMs: stats.lastEstimatedLagMs,
      averageLagMs: average(stats.totalEstimatedLagMs, ended),
      lastError: stats.lastError,
      ...{ done: stats.done, filtered: stats.filtered, dead: stats.dead, expired: stats.expired },
      ...{ lostToTrim: stats.lostToTrim, retries: stats.retries },
    },
  };
}

function average(total: number, count: number): number {
  return count === 0 ? 0 : Math.round((total / count) * 1_000) / 1_000;
}
