import type { DeliveryMode } from '#functions';
import type { Permit } from '../fleet/fleet.ts';
import type { EndedEntries } from './contracts.ts';

/** How entries of a registration become executions. */
export interface ExecutionShape {
  readonly mode: DeliveryMode;
  /** Mode `sync`: executions of different keys run side by side. */
  readonly keyed: boolean;
  /** Entries of one execution. */
  readonly executionSize: number;
}

/** What a batch needs to run, with how many permits. */
export interface PermitNeed {
  /** More permits are of no use. */
  readonly wanted: number;
  /** Entries, from the first on, that may start with so many permits. */
  entriesWith(permits: number): number;
  /** Permits that so many entries need. */
  permitsFor(entries: number): number;
}

/** Mode `sync` runs so many executions of a stream with one permit before another stream may have it. */
export const EXECUTIONS_IN_TURN = 10;

/** Pure: executions that may run at once need a permit each; of those that run one after another one permit is enough. */
export function permitNeedOf({ mode, keyed, executionSize }: ExecutionShape, entries: number): PermitNeed {
  if (mode === 'sync' && !keyed) {
    return {
      wanted: 1,
      entriesWith: () => Math.min(entries, EXECUTIONS_IN_TURN * executionSize),
      permitsFor: (started) => Math.min(1, started),
    };
  }
  return {
    wanted: Math.ceil(entries / executionSize),
    entriesWith: (permits) => Math.min(entries, permits * executionSize),
    permitsFor: (started) => Math.ceil(started / executionSize),
  };
}

/** Permits that entries in work have. */
export interface PermitShare {
  /** Aborted when others may have the permits. */
  readonly signal: AbortSignal;
  /** Entries of the run, by position, have ended here: whole executions give their permit back. */
  ended(ended: EndedEntries): void;
}

/** For one run of so many entries whose executions all have a permit of their own. */
export function shareAsTheyEnd(
  permit: Permit,
  { entries, executionSize }: { readonly entries: number; readonly executionSize: number },
): PermitShare {
  const open = new Uint32Array(Math.ceil(entries / executionSize)).fill(executionSize);
  if (open.length > 0) open[open.length - 1] = entries - (open.length - 1) * executionSize;
  const end = (position: number): void => {
    const execution = Math.floor(position / executionSize);
    open[execution] = (open[execution] ?? 0) - 1;
    if (open[execution] === 0) permit.release(1);
  };
  return {
    signal: permit.signal,
    ended({ done, filtered, failed }) {
      for (let i = 0; i < done.length; i += 1) end(done[i] as number);
      for (let i = 0; i < filtered.length; i += 1) end(filtered[i] as number);
      for (const { index } of failed) end(index);
    },
  };
}

/** For executions one after another: the permit stays until all is over. */
export function keepToTheEnd({ signal }: Permit): PermitShare {
  return { signal, ended: () => undefined };
}
