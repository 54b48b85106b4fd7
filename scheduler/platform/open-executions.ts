import type { RedisAccess } from '#functions';
import type { Runtime } from '#runtime';
import { createExecutions } from '../executions/create-executions.ts';
import type { Executions } from '../executions/executions.ts';
import { createOptions, type Options } from '../executions/options.ts';
import { createRegisteredRuns, type RegisteredRuns } from '../executions/registered-runs.ts';
import type { Fleet } from '../fleet/fleet.ts';
import { createSharedFutures } from '../futures/shared-futures.ts';
import { RESERVED_OPTIONS } from '../gateway/operations/config-options.ts';
import type { SchedulerKeys } from '../keys.ts';
import type { Log } from '../log.ts';
import { createStageQueue } from '../queues/create-stage-queue.ts';
import type { Settings } from '../settings.ts';

export interface ExecutionsGround {
  readonly settings: Settings;
  readonly log: Log;
  readonly access: RedisAccess;
  readonly keys: SchedulerKeys;
  readonly fleet: Fleet;
  readonly runtime: Runtime;
  readonly options: Options;
}

/** Stages that one node works on at once. */
const STAGES_AT_ONCE = 16;

/** Options set at run time; the registry takes those of functions from here. */
export function openOptions(
  { access, keys, settings, log }: Pick<ExecutionsGround, 'access' | 'keys' | 'settings' | 'log'>,
  opening: AsyncDisposableStack,
): Options {
  const presets = settings.functionSettings;
  return opening.use(createOptions({ access, keys, reserved: RESERVED_OPTIONS, presets, log }));
}

/** Batch runs with their queue, and what handlers wait for. */
export function openExecutions(ground: ExecutionsGround, opening: AsyncDisposableStack): Executions {
  const { settings, log, access, keys, fleet, runtime, options } = ground;
  const concurrency = STAGES_AT_ONCE;
  const queue = opening.use(createStageQueue({ access, keys, settings: settings.fleet, concurrency, log }));
  const executions = opening.use(
    createExecutions({
      ...{ access, keys, fleet, queue, options, concurrency, log },
      settings: settings.executions,
      openStage: (request) => runtime.openStage(request),
    }),
  );
  const isAlone = (): boolean => fleet.consumers().length < 2;
  const futures = opening.use(createSharedFutures({ access, keys, isAlone }));
  runtime.serve({
    run: (request, signal) => executions.runNested(request, signal),
    completeFuture: (name, outcome, keepMs) => futures.complete(name, outcome, keepMs),
    awaitFuture: (name, signal) => futures.wait(name, signal),
  });
  return executions;
}

/** What is kept of executions of registrations. */
export function openRegisteredRuns(
  { access, keys, settings, fleet, options, log }: Omit<ExecutionsGround, 'runtime'>,
  opening: AsyncDisposableStack,
): RegisteredRuns {
  const { nodeId } = fleet.self;
  return opening.use(createRegisteredRuns({ access, keys, options, settings: settings.executions, nodeId, log }));
}
