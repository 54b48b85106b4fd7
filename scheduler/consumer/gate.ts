import { type Admission, isRated, needsPermits } from './admission.ts';
import { type ClaimedBatch, cutBatch } from './batch.ts';
import { addLoad, hold, type Lane, letGo, modeOf } from './lane.ts';
import { partByAge } from './routing.ts';
import type { Ends } from './settler.ts';
import type { Starter } from './starter.ts';

/** Where batches wait that may not start at once. */
export interface Gate {
  /** Starts a batch that counts as load already, as there are tokens and permits for it. Resolves when all of it is over. */
  start(lane: Lane, batch: ClaimedBatch, interruptions: number): Promise<void>;
}

export interface GateOptions {
  readonly admission: Admission;
  readonly starter: Starter;
  /** Ends entries that do not run. */
  readonly end: (lane: Lane, ends: Ends) => void;
  readonly mayRun: (lane: Lane) => boolean;
  /** Mode `sync`: the next batch of the backlog may start. */
  readonly pump: (lane: Lane) => void;
}

export function createGate({ admission, starter, end, mayRun, pump }: GateOptions): Gate {
  async function startInTime(lane: Lane, batch: ClaimedBatch, interruptions: number): Promise<void> {
    const runs: Promise<void>[] = [];
    for (let rest: ClaimedBatch | null = batch; rest !== null; ) {
      const fresh = expireOld(lane, rest);
      hold(lane, fresh.ids);
      const { count, permit } = await admission.admit(lane, fresh.ids);
      letGo(lane, fresh.ids);
      const [now, later] = cutBatch(fresh, count);
      rest = now === null ? null : later;
      if (now === null) addLoad(lane, -fresh.ids.length);
      else runs.push(starter.start({ lane, batch: now, interruptions, permit }));
    }
    await Promise.all(runs);
  }

  /** Mode `sync`: what may not start yet goes back to the head of the backlog. */
  async function startInTurn(lane: Lane, batch: ClaimedBatch, interruptions: number): Promise<void> {
    const fresh = expireOld(lane, batch);
    lane.starting = true;
    hold(lane, fresh.ids);
    const { count, permit } = await admission.admit(lane, fresh.ids);
    letGo(lane, fresh.ids);
    lane.starting = false;
    const [now, later] = cutBatch(fresh, count);
    if (now !== null && mayRun(lane)) {
      if (later !== null) lane.backlog.unshift(later);
      await starter.start({ lane, batch: now, interruptions, permit });
      return;
    }
    permit?.release();
    if (now === null) addLoad(lane, -fresh.ids.length);
    else lane.backlog.unshift(fresh);
    pump(lane);
  }

  /** What is too old takes neither tokens nor permits. */
  function expireOld(lane: Lane, batch: ClaimedBatch): ClaimedBatch {
    const { expired, fresh } = partByAge(lane.registration, batch, Date.now());
    if (expired.length === 0) return batch;
    addLoad(lane, -expired.length);
    end(lane, { expired, noted: expired });
    return fresh;
  }

  return {
    start(lane, batch, interruptions) {
      // Tokens were taken for a job when it was made.
      const waits = needsPermits(lane) || (isRated(lane) && batch.origin !== 'queue');
      if (!waits) return starter.start({ lane, batch, interruptions, permit: null });
      return (modeOf(lane) === 'sync' ? startInTurn : startInTime)(lane, batch, interruptions);
    },
  };
}
