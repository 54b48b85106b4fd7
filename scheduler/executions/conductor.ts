import type { Logger } from 'pino';
import type { RedisAccess } from '#functions';
import type { Fleet } from '../fleet/fleet.ts';
import type { SchedulerKeys } from '../keys.ts';
import type { StageQueue } from '../queues/stage-queue.ts';
import type { ExecutionSettings } from '../settings.ts';
import { removeAllPieces, removePieces } from './clean-up.ts';
import { partitionsOf } from './execution-plan.ts';
import { type ExecutionRecord, type ExecutionStore, stageName } from './execution-store.ts';
import type { Options } from './options.ts';
import { ABORT_ERROR } from './pulse.ts';
import { runOptionsOf } from './run-options.ts';
import { createSweep } from './sweep.ts';
import type { Waiting } from './waiting.ts';

export interface ConductorOptions {
  readonly access: RedisAccess;
  readonly keys: SchedulerKeys;
  readonly fleet: Pick<Fleet, 'isAlive'>;
  readonly queue: Pick<StageQueue, 'addStage'>;
  readonly options: Pick<Options, 'read'>;
  readonly settings: ExecutionSettings;
  readonly store: ExecutionStore;
  readonly waiting: Waiting;
  readonly log: Logger;
}

/** Leads executions from stage to stage and to their end; any node may do each step, and doing one twice changes nothing. */
export interface Conductor extends Disposable {
  /** A stage has ended on all its shards. */
  advance(id: string, stage: number): Promise<void>;
  end(record: ExecutionRecord, status: 'done' | 'aborted', error?: string): Promise<void>;
  /** Removes an ended execution and all that is left of it. */
  drop(record: ExecutionRecord): Promise<void>;
}

const IDLE_ERROR = 'Execution max idle reached';

export function createConductor(options: ConductorOptions): Conductor {
  const { store, queue, waiting, settings, log } = options;

  const drop = async (record: ExecutionRecord): Promise<void> => {
    await removeAllPieces(options, record, true);
    await store.forget(record.plan.id);
  };

  const end: Conductor['end'] = async ({ plan }, status, error) => {
    if (!(await store.end(plan.id, status, error))) return;
    log.info({ execution: plan.id, function: plan.functionName, status, err: error }, 'an execution has ended');
    waiting.tell(plan.id);
    const record = await store.read(plan.id);
    if (record === null) return;
    if (record.dropAtEnd) await drop(record);
    else await removeAllPieces(options, record, false);
  };

  const next = async (record: ExecutionRecord, stage: number): Promise<void> => {
    const { plan } = record;
    const spec = plan.stages[stage + 1];
    if (spec === undefined) return end(record, 'done');
    if (record.abortAsked) return endAborted(record);
    await queue.addStage(plan.id, stage + 1, partitionsOf(plan, spec));
    if (stage > 0) await removePieces(options, record, { stage: stage - 1, keep: false });
  };

  /** What runs is done with an error, as RedisGears had it; what waits for other shards is aborted. */
  const endAborted = (record: ExecutionRecord): Promise<void> =>
    wasStopped(record) ? end(record, 'done') : end(record, 'aborted', ABORT_ERROR);

  const advance: Conductor['advance'] = async (id, stage) => {
    const record = await store.read(id);
    if (record === null || record.status === 'done' || record.status === 'aborted') return;
    const spec = record.plan.stages[stage];
    if (spec === undefined) return;
    const partitions = partitionsOf(record.plan, spec);
    const isComplete = partitions.every((partition) => record.ends.has(stageName({ stage, partition })));
    if (isComplete) await next(record, stage);
    else await queue.addStage(id, stage, partitions);
  };

  const giveUp = async (record: ExecutionRecord): Promise<void> => {
    const { plan, status } = record;
    if (status === 'created' && !plan.direct && plan.nested !== true) {
      // The node that made it died before, or after, it had given it to the queue.
      await queue.addStage(plan.id, 0, plan.readers);
      return;
    }
    log.warn({ execution: plan.id }, 'nobody works on an execution any more');
    await end(record, 'aborted', IDLE_ERROR);
  };

  const sweep = createSweep({
    ...{ store, fleet: options.fleet, giveUp, log },
    idleMs: async () => runOptionsOf(await options.options.read(), settings).idleMs,
  });
  return { advance, end, drop, [Symbol.dispose]: () => sweep[Symbol.dispose]() };
}

/** True when a stage ended because it was told to: the error is there already. */
function wasStopped({ ends }: ExecutionRecord): boolean {
  return [...ends.values()].some(({ errors }) => errors.includes(ABORT_ERROR));
}
