import type { Logger } from 'pino';
import { Type } from 'typebox';
import { defineRoute, type HttpRoute, type RouteAnswer } from '../route.ts';
import { shape, words } from '../schemas/parts.ts';

export interface HealthOptions {
  /** Parts of the node by name, such as `redis`, and whether each is ready. Asked at every request. */
  readonly readiness: () => Promise<Readonly<Record<string, boolean>>>;
  readonly log: Logger;
}

const area = 'Health';
const HealthShape = shape({
  status: Type.String(),
  parts: Type.Record(Type.String(), words(['ready', 'not ready'])),
});

/**
 * `/livez`: 200 as long as the process answers at all. `/readyz`: 200 when every part is ready, else 503; both name each part.
 * They ask for no token and answer while the node drains.
 */
export function healthRoutes(options: HealthOptions): readonly HttpRoute[] {
  return [
    defineRoute({
      ...{ method: 'GET', path: '/livez', role: null, area, head: true },
      summary: 'Does the process answer?',
      answers: { 200: { description: 'It does', schema: HealthShape } },
      handle: async () => answer(await statesOf(options), 'live'),
    }),
    defineRoute({
      ...{ method: 'GET', path: '/readyz', role: null, area, head: true },
      summary: 'Is the node ready for work?',
      answers: {
        200: { description: 'Every part is', schema: HealthShape },
        503: { description: 'Some part is not', schema: HealthShape },
      },
      handle: async () => answer(await statesOf(options), 'ready'),
    }),
  ];
}

async function statesOf({ readiness, log }: HealthOptions): Promise<Readonly<Record<string, boolean>>> {
  try {
    return await readiness();
  } catch (error) {
    log.error({ err: error }, 'the state of the node could not be found out');
    return { node: false };
  }
}

function answer(states: Readonly<Record<string, boolean>>, wanted: 'live' | 'ready'): RouteAnswer {
  const isReady = Object.values(states).every(Boolean);
  const named = Object.entries(states).map(([name, ready]) => [name, ready ? 'ready' : 'not ready'] as const);
  const parts = Object.fromEntries(named);
  if (wanted === 'live') return { body: { status: 'live', parts } };
  return { status: isReady ? 200 : 503, body: { status: isReady ? 'ready' : 'not ready', parts } };
}
