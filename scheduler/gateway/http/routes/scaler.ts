import { Type } from 'typebox';
import { PlatformError } from '#functions';
import type { Backlog } from '../../../figures/figures.ts';
import { reportBacklogs } from '../../operations/backlog-reports.ts';
import type { HttpDependencies } from '../dependencies.ts';
import { defineRoute, type HttpRoute } from '../route.ts';
import { Count, nullable, SpanMs, shape } from '../schemas/parts.ts';

const COUNTS = {
  backlog: Type.Integer({ minimum: 0, description: 'unread + pending + dueRetries of running registrations' }),
  unread: Type.Integer({ minimum: 0, description: 'never less than there are' }),
  unreadIsExact: Type.Boolean(),
  pending: Type.Integer({ minimum: 0, description: 'read and in work, without those that wait for a retry' }),
  dueRetries: Count,
  waitingRetries: Type.Integer({ minimum: 0, description: 'whose time has not come; not part of the backlog' }),
  lagAgeMs: nullable(SpanMs),
};

const ScalerShape = shape(
  {
    ...COUNTS,
    registrations: Type.Array(
      shape({ registrationId: Type.String(), functionName: Type.String(), state: Type.String(), ...COUNTS }),
    ),
  },
  'Scaler',
);

/** `/v1/scaler`: how much there is to do, for whoever starts and stops nodes. */
export function scalerRoute(dependencies: HttpDependencies): HttpRoute {
  return defineRoute({
    ...{ method: 'GET', path: '/v1/scaler', role: 'read', area: 'Health' },
    summary: 'How much is there to do?',
    description:
      'Made for the metrics-api scaler of KEDA: `backlog` is what nodes could work on now, over the registrations asked for. It is ' +
      'asked of Redis with each request and the same on every node. Commands and hooks have none: their callers wait.',
    query: {
      registration: Type.Optional(Type.String({ minLength: 1, description: 'only this one' })),
      function: Type.Optional(Type.String({ minLength: 1, description: 'only those of this function' })),
    },
    answers: { 200: { description: 'Sums, and each registration', schema: ScalerShape } },
    async handle({ query }) {
      checkQuery(dependencies, query);
      const wanted = query.registration;
      const items = await reportBacklogs(
        dependencies,
        ({ spec, functionName }) =>
          (wanted === undefined || spec.id === wanted) &&
          (query.function === undefined || functionName === query.function),
      );
      return { body: { ...sumOf(items), registrations: items.map((item) => ({ ...item })) } };
    },
  });
}

interface ScalerQuery {
  readonly registration?: string | undefined;
  readonly function?: string | undefined;
}

/** A wrong name must not look like an empty backlog: whoever scales by it would stop every node. */
function checkQuery({ registry }: HttpDependencies, query: ScalerQuery): void {
  const { registrations, functions } = registry.snapshot();
  if (query.registration !== undefined && !registrations.has(query.registration)) {
    const message = `no registration "${query.registration.slice(0, 200)}" is in force; \`regears registrations\` lists them`;
    throw new PlatformError('REGISTRATION_NOT_FOUND', message);
  }
  if (query.function !== undefined && !functions.has(query.function)) {
    const message = `there is no function "${query.function.slice(0, 200)}"; \`regears list\` shows them`;
    throw new PlatformError('FUNCTION_NOT_FOUND', message);
  }
}

function sumOf(items: readonly Backlog[]): Omit<Backlog, 'registrationId' | 'functionName' | 'state'> {
  const sum = (of: (item: Backlog) => number): number => items.reduce((total, item) => total + of(item), 0);
  const ages = items.map(({ lagAgeMs }) => lagAgeMs).filter((age) => age !== null);
  return {
    backlog: sum(({ backlog }) => backlog),
    unread: sum(({ unread }) => unread),
    unreadIsExact: items.every(({ unreadIsExact }) => unreadIsExact),
    pending: sum(({ pending }) => pending),
    dueRetries: sum(({ dueRetries }) => dueRetries),
    waitingRetries: sum(({ waitingRetries }) => waitingRetries),
    lagAgeMs: ages.length === 0 ? null : Math.max(...ages),
  };
}
