import { PlatformError } from '#functions';
import type { RuntimeErrorCode } from '../errors.ts';
import type { Invocation } from '../invocation.ts';
import { inspectError } from '../sandbox/inspect-error.ts';
import { type LoadedIsolate, useIsolate, versionKey } from '../sandbox/isolates.ts';
import type { SandboxPool } from '../sandbox/pool.ts';
import type { StageRequest, StageRun } from '../stage.ts';
import type { Concurrency } from './concurrency.ts';
import { Stage, type StageBatch } from './stage.ts';

export interface StageOpenerOptions {
  readonly pool: SandboxPool;
  readonly concurrency: Concurrency;
  readonly run: (isolate: LoadedIsolate, invocation: Invocation, batch: StageBatch) => Promise<unknown>;
  readonly isClosed: () => boolean;
  /** Default 500. */
  readonly graceMs?: number;
}

const LARGEST_STAGE = 0xffff_ffff;

/** What goes with the opening of a stage. */
interface Opening {
  /** Its code is gone. */
  readonly leave: () => void;
  readonly graceMs: number;
}

/** Brings stages into sandboxes. */
export interface StageOpener {
  /** See `Runtime.openStage`. */
  open(request: StageRequest): Promise<StageRun>;
  /**
   * The same in an isolate that somebody uses, and who waits for the stage: it takes no place of the version's concurrency, and goes
   * nowhere else. Errors: SANDBOX_DIED when the isolate is gone.
   */
  openWithin(isolate: LoadedIsolate, request: StageRequest): Promise<StageRun>;
}

export function createStageOpener(options: StageOpenerOptions): StageOpener {
  const { pool, concurrency, graceMs = 500 } = options;
  let lastStage = 0;

  async function openIn(isolate: LoadedIsolate, request: StageRequest): Promise<number> {
    const { runIndex, firstStep, endStep, input, output, profile, target } = request;
    lastStage = (lastStage % LARGEST_STAGE) + 1;
    const stage = lastStage;
    const opening = { handle: isolate.handle, stage, runIndex, firstStep, endStep, input, output, profile };
    await isolate.process.openStage(opening, isolate.key, target.limits.callMs);
    return stage;
  }

  async function open(isolate: LoadedIsolate, request: StageRequest, { leave, graceMs }: Opening): Promise<StageRun> {
    try {
      if (request.signal.aborted) throw PlatformError.from(request.signal.reason, 'RUNTIME_CLOSED');
      const stage = await openIn(isolate, request);
      return new Stage(request, {
        isolate,
        stage,
        run: (invocation, batch) => options.run(isolate, invocation, batch),
        onGone: () => {
          pool.release(isolate);
          leave();
        },
        graceMs,
      });
    } catch (reason) {
      pool.release(isolate);
      throw reason;
    }
  }

  function refuseClosed(): void {
    if (options.isClosed()) throw new PlatformError<RuntimeErrorCode>('RUNTIME_CLOSED', 'the runtime is closed');
  }

  return {
    async open(request) {
      const { target, signal } = request;
      refuseClosed();
      const key = versionKey(target);
      const entered = await concurrency.enter({ key, weight: 1, limit: target.limits.concurrency, signal });
      if (!entered) throw PlatformError.from(signal.reason, 'RUNTIME_CLOSED');
      const leave = (): void => concurrency.leave(key, 1);
      try {
        return await open(await pool.acquire(target), request, { leave, graceMs });
      } catch (reason) {
        leave();
        throw stageError(request, reason);
      }
    },
    async openWithin(isolate, request) {
      refuseClosed();
      try {
        if (isolate.process.state === 'dead' || isolate.process.state === 'dying') throw gone();
        // It is aborted whenever its handler is late: then the limit of a call is to act first, which costs one record only.
        const patience = request.target.limits.callMs + graceMs;
        return await open(useIsolate(isolate), request, { leave: () => {}, graceMs: patience });
      } catch (reason) {
        throw stageError(request, reason);
      }
    },
  };
}

function gone(): PlatformError<RuntimeErrorCode> {
  return new PlatformError('SANDBOX_DIED', 'the sandbox of the handler that waits for the run is gone');
}

function stageError({ target }: StageRequest, reason: unknown): PlatformError {
  const error = inspectError(target, reason);
  if (error.code !== 'ISOLATE_LOST') return error;
  return new PlatformError<RuntimeErrorCode>('SANDBOX_DIED', error.message, { retryable: true });
}
