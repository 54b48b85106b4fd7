import type { Logger } from 'pino';
import type { RedisAccess } from '#functions';
import type { Runtime } from '#runtime';
import type { Fleet } from '../fleet/fleet.ts';
import type { SchedulerKeys } from '../keys.ts';
import type { StageQueue } from '../queues/stage-queue.ts';
import type { ExecutionSettings } from '../settings.ts';
import { createArtifactCache } from './artifact-cache.ts';
import { createConductor } from './conductor.ts';
import { createExecutionDesk } from './execution-desk.ts';
import { createExecutionStore } from './execution-store.ts';
import type { Executions } from './executions.ts';
import type { Options } from './options.ts';
import { createLayouts } from './partitions.ts';
import { createLinkPool } from './readers/links.ts';
import { createStageRunner } from './stage-runner.ts';
import { createWaiting } from './waiting.ts';

export interface ExecutionsOptions {
  readonly access: RedisAccess;
  readonly keys: SchedulerKeys;
  readonly fleet: Pick<Fleet, 'self' | 'isAlive'>;
  readonly queue: StageQueue;
  readonly openStage: Runtime['openStage'];
  readonly options: Options;
  readonly settings: ExecutionSettings;
  /** Runs of callers who wait, at once on this node; the others wait for their turn. */
  readonly concurrency: number;
  readonly log: Logger;
}

/** Batch runs of this node, and its share of the fleet's. Takes jobs from the queue from the first moment on. */
export function createExecutions(options: ExecutionsOptions): Executions {
  const { access, keys, settings, queue, openStage, log } = options;
  const store = createExecutionStore({ access, keys, keepMs: settings.keepMs });
  const links = createLinkPool(access);
  const artifacts = createArtifactCache(access, keys, settings.keepMs + settings.idleMs);
  const runner = createStageRunner({ access, keys, links, openStage, store, artifacts, settings, log });
  const waiting = createWaiting(access, keys);
  const layouts = createLayouts(access);
  const conductor = createConductor({ ...options, store, waiting });
  const desk = createExecutionDesk({ ...options, store, artifacts, runner, waiting, layouts, conductor });
  queue.start({
    runStage: (job, context) => runner.runJob(job, context),
    advance: (job) => conductor.advance(job.executionId, job.stage),
  });
  return {
    run: (request, signal) => desk.run(request, signal),
    runNested: (request, signal) => desk.runNested(request, signal),
    start: (request, how) => desk.start(request, how),
    list: () => desk.list(),
    view: (id) => desk.view(id),
    results: (id) => desk.results(id),
    page: (id, cursor) => desk.page(id, cursor),
    waitForEnd: (id, signal) => desk.waitForEnd(id, signal),
    drop: (id) => desk.drop(id),
    abort: (id) => desk.abort(id),
    async drain(deadlineMs) {
      await Promise.all([queue.drain(deadlineMs), desk.drain(deadlineMs)]);
    },
    async [Symbol.asyncDispose]() {
      conductor[Symbol.dispose]();
      await Promise.all([queue.drain(0), desk.drain(0)]);
      await links[Symbol.asyncDispose]();
    },
  };
}
