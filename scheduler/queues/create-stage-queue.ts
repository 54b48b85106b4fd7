import { FlowProducer, type JobsOptions } from 'bullmq';
import type { Logger } from 'pino';
import type { RedisAccess } from '#functions';
import type { SchedulerKeys } from '../keys.ts';
import type { FleetSettings } from '../settings.ts';
import { createErrorThrottle } from './error-throttle.ts';
import { createJobLane } from './job-lane.ts';
import type { AdvanceJob, StageJob, StageQueue } from './stage-queue.ts';

export interface StageQueueOptions {
  readonly access: RedisAccess;
  readonly keys: Pick<SchedulerKeys, 'queuePrefix'>;
  readonly settings: FleetSettings;
  /** Stages that this node works on at once. */
  readonly concurrency: number;
  readonly log: Logger;
}

const QUEUE = 'stages';

/** Ended jobs are remembered for a while, so that the same stage added again is recognised. */
const STAGE_JOB: JobsOptions = {
  attempts: 30,
  backoff: { type: 'custom' },
  removeOnComplete: { age: 600, count: 1_000 },
  removeOnFail: { age: 86_400, count: 1_000 },
  stackTraceLimit: 5,
};

/** Stages as BullMQ flows: the parent waits for its children, the shards' parts of the stage. */
export function createStageQueue(options: StageQueueOptions): StageQueue {
  const { access, keys, settings, concurrency, log } = options;
  const client = access.openQueueClient('stages');
  client.on('error', () => {});
  client.setMaxListeners(0);
  const prefix = keys.queuePrefix;
  const flows = new FlowProducer({ connection: client, prefix });
  flows.on('error', createErrorThrottle(log, 'adding stages has trouble'));
  const lane = createJobLane<StageJob | AdvanceJob>({
    ...{ name: QUEUE, prefix, client, settings, concurrency, log },
    jobOptions: STAGE_JOB,
  });
  return {
    async addStage(executionId, stage, partitions) {
      const job = (data: StageJob | AdvanceJob, jobId: string) => ({
        name: data.kind,
        queueName: QUEUE,
        data,
        opts: { ...STAGE_JOB, jobId },
      });
      await flows.add({
        ...job({ kind: 'advance', executionId, stage }, `a.${executionId}.${stage}`),
        children: partitions.map((partition) =>
          job({ kind: 'stage', executionId, stage, partition }, `s.${executionId}.${stage}.${partition}`),
        ),
      });
    },
    start(handlers) {
      lane.work(({ data, isLastAttempt }, signal) =>
        data.kind === 'stage' ? handlers.runStage(data, { isLastAttempt, signal }) : handlers.advance(data),
      );
    },
    drain: (deadlineMs) => lane.drain(deadlineMs),
    async [Symbol.asyncDispose]() {
      await lane[Symbol.asyncDispose]();
      client.disconnect();
    },
  };
}
