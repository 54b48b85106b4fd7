import type { Logger } from 'pino';
import { PlatformError } from '#functions';
import type { SchedulerErrorCode } from '../errors.ts';
import type { ExecutionStore, StageRef } from './execution-store.ts';
import { type Progress, progressOf } from './run-stage.ts';

export interface PulseOptions {
  readonly store: Pick<ExecutionStore, 'touch'>;
  readonly id: string;
  readonly ref: StageRef;
  readonly progress: Progress;
  readonly log: Logger;
}

/** Why a stage was stopped, as the reason of its signal. */
export function stopReason(signal: AbortSignal): 'abort' | 'over' | null {
  const { reason } = signal;
  const why = reason instanceof PlatformError ? reason.details.why : null;
  return why === 'abort' || why === 'over' ? why : null;
}

export const ABORT_ERROR = 'Execution aborted';

function stopped(id: string, why: 'abort' | 'over'): PlatformError<SchedulerErrorCode> {
  return new PlatformError('EXECUTION_ABORTED', `execution ${id} was aborted`, { details: { why } });
}

/** Shows that a stage is worked on, and stops it when it was asked to end. `stop` does so at once, on this node. */
export interface Pulse extends Disposable {
  readonly signal: AbortSignal;
  stop(): void;
  /** Shows the progress now; false when the stage is not wanted any more. */
  beat(): Promise<boolean>;
}

const BEAT_MS = 200;

export function createPulse({ store, id, ref, progress, log }: PulseOptions): Pulse {
  const controller = new AbortController();
  let asking: Promise<boolean> | null = null;
  const ask = async (): Promise<boolean> => {
    const said = await store.touch(id, ref, progressOf(progress));
    if (said !== 'go' && !controller.signal.aborted) controller.abort(stopped(id, said));
    return said === 'go';
  };
  const beat = (): Promise<boolean> => {
    asking ??= ask().finally(() => {
      asking = null;
    });
    return asking;
  };
  const timer = setInterval(() => {
    beat().catch((error: unknown) => log.debug({ err: error, execution: id }, 'progress could not be shown'));
  }, BEAT_MS);
  return {
    signal: controller.signal,
    stop: () => controller.abort(stopped(id, 'abort')),
    beat,
    [Symbol.dispose]: () => clearInterval(timer),
  };
}
