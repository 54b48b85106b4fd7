import type { GuestErrorReport } from '../sandbox/messages.ts';
import type { Entry, Execution, Piece } from './batch.ts';
import { describeError } from './describe.ts';
import { guestError } from './errors.ts';
import { createJsonWriter } from './json.ts';
import { nextBinding, type Plan, type Step, type UserFunction } from './plan.ts';
import {
  bareList,
  mapForEach,
  mapGet,
  mapHas,
  mapSet,
  NativeMap,
  promiseOf,
  promiseThen,
  toText,
} from './primordials.ts';
import { type Settle, stopMoving } from './settle.ts';
import type { Turn } from './turn.ts';

/**
 * The part of a run that ties the records of an execution together (accumulate, localgroupby, limit). The records of all
 * entries are gathered at the first such step, in order. From there on the execution goes on as one: its records belong to
 * its last open entry that has any, and all its open entries end together. An error before the first binding step ends only its own
 * entry, one behind it ends all.
 */
export interface Binding {
  /** All records of an entry have come to the next binding step or the end. */
  arrived(entry: Entry): void;
  failed(entry: Entry, error: unknown): void;
  dropped(entry: Entry): void;
  /** True when a limit at the first binding step needs no further records. */
  hasEnough(execution: Execution): boolean;
  /** True when records must reach the first binding step one by one, so that a limit can stop the rest. */
  takesOneByOne(plan: Plan): boolean;
}

export interface BindingOptions {
  readonly turn: Turn;
  readonly settle: Settle;
  readonly advance: (piece: Piece, from: number) => void;
  readonly isThenable: (value: unknown) => boolean;
}

const CANCELLED: GuestErrorReport = {
  code: 'LIMIT_EXECUTION_TIME',
  name: 'Error',
  message: 'Another entry of the same execution was given up; its records are bound together.',
  stack: '',
};

/** Keys of groups are text, as in the reference: JSON for objects, the text of the value for the rest. */
function keyText(key: unknown): string {
  if (typeof key === 'string') return key;
  if (typeof key !== 'object' || key === null) return toText(key);
  const limit = 65_536;
  return createJsonWriter({ left: limit, limit }).write(key, null) ?? 'null';
}

function limitOf(plan: Plan): Step | null {
  const step = plan.steps[plan.firstBinding];
  return step !== undefined && step.type === 'limit' ? step : null;
}

export function createBinding({ turn, settle, advance, isThenable }: BindingOptions): Binding {
  function carrierOf(execution: Execution): Entry | null {
    let carrier: Entry | null = null;
    eachOpen(execution, (entry) => {
      if (carrier === null || entry.reached) carrier = entry;
    });
    return carrier;
  }

  function failAll(execution: Execution, error: unknown): void {
    const report = describeError(error);
    eachOpen(execution, (entry) => settle.failWith(entry, report));
  }

  function eachOpen(execution: Execution, visit: (entry: Entry) => void): void {
    const entries = execution.entries as Entry[];
    for (let i = 0; i < execution.end - execution.first; i++) {
      const entry = entries[i];
      if (entry !== undefined && !entry.ended) visit(entry);
    }
  }

  /** Kept records in order: of all entries the first time, of the carrier later. */
  function gather(execution: Execution): Piece[] {
    const records = bareList<Piece>();
    eachOpen(execution, (entry) => {
      for (let piece = entry.pieces; piece !== null; piece = piece.next) {
        if (piece.kept) records[records.length] = piece;
      }
      entry.pieces = null;
    });
    return records;
  }

  /** The gathered records go on as these values, all belonging to one entry. */
  function goOn(execution: Execution, values: readonly unknown[], at: number): void {
    const entry = carrierOf(execution);
    if (entry === null) return;
    const { steps } = entry.batch.plan;
    execution.stage = nextBinding(steps, at);
    let first: Piece | null = null;
    for (let i = values.length - 1; i >= 0; i--) first = { entry, value: values[i], kept: true, next: first };
    entry.pieces = first;
    entry.live = values.length + 1;
    const before = turn.entry;
    turn.enter(entry);
    // The piece behind this one is looked up first: a flatmap puts its items there.
    for (let piece = first; piece !== null; ) {
      const { next }: Piece = piece;
      if (!entry.ended) advance(piece, at);
      piece = next;
    }
    if (!entry.ended && --entry.live === 0) stretchDone(entry);
    turn.enter(before);
  }

  function finishAll(execution: Execution, carrier: Entry): void {
    const results = settle.encode(carrier);
    eachOpen(execution, (entry) => settle.finish(entry, entry === carrier ? results : ''));
  }

  function stretchDone(entry: Entry): void {
    const { execution } = entry;
    try {
      if (execution.stage === entry.batch.plan.steps.length) finishAll(execution, entry);
      else bind(execution, execution.stage);
    } catch (error) {
      failAll(execution, error);
    }
  }

  /** True when a reducer's value is still to come; `next` is called with it. */
  function reduce(out: unknown, execution: Execution, next: (value: unknown) => void): boolean {
    if (!isThenable(out)) return false;
    promiseThen(
      promiseOf(out),
      (value) => {
        const before = turn.entry;
        try {
          next(value);
        } catch (error) {
          failAll(execution, error);
        }
        turn.enter(before);
      },
      (reason) => failAll(execution, reason),
    );
    return true;
  }

  function accumulate(execution: Execution, records: readonly Piece[], at: number): void {
    const step = (execution.batch.plan.steps[at] as Step).fn as UserFunction;
    const run = (from: number, start: unknown): void => {
      let accumulator = start;
      for (let i = from; i < records.length; i++) {
        const piece = records[i] as Piece;
        turn.enter(piece.entry);
        const out = step(accumulator, piece.value);
        if (reduce(out, execution, (value) => run(i + 1, value))) return;
        accumulator = out;
      }
      goOn(execution, [accumulator], at + 1);
    };
    if (records.length === 0) goOn(execution, [], at + 1);
    else run(0, null);
  }

  function groupKey(step: Step, value: unknown): string {
    const key = (step.fn as UserFunction)(value);
    if (!isThenable(key)) return keyText(key);
    throw guestError(
      'GUEST_ERROR',
      'The extractor of localgroupby must not be async; only its reducer may be.',
      'type',
    );
  }

  function group(execution: Execution, records: readonly Piece[], at: number): void {
    const step = execution.batch.plan.steps[at] as Step;
    const groups = new NativeMap<string, unknown>();
    const run = (from: number): void => {
      for (let i = from; i < records.length; i++) {
        const piece = records[i] as Piece;
        turn.enter(piece.entry);
        const key = groupKey(step, piece.value);
        const known = mapHas(groups, key) ? mapGet(groups, key) : null;
        const out = (step.reduce as UserFunction)(key, known, piece.value);
        const put = (value: unknown): void => {
          mapSet(groups, key, value);
          run(i + 1);
        };
        if (reduce(out, execution, put)) return;
        mapSet(groups, key, out);
      }
      const values = bareList<unknown>();
      mapForEach(groups, (value, key) => {
        values[values.length] = { key, value };
      });
      goOn(execution, values, at + 1);
    };
    run(0);
  }

  function limit(execution: Execution, records: readonly Piece[], at: number): void {
    const { start, count } = execution.batch.plan.steps[at] as Step;
    const values = bareList<unknown>();
    for (let i = start; i < records.length && i < start + count; i++)
      values[values.length] = (records[i] as Piece).value;
    goOn(execution, values, at + 1);
  }

  function bind(execution: Execution, at: number): void {
    const records = gather(execution);
    const before = turn.entry;
    const { type } = execution.batch.plan.steps[at] as Step;
    if (type === 'accumulate') accumulate(execution, records, at);
    else if (type === 'localgroupby') group(execution, records, at);
    else limit(execution, records, at);
    turn.enter(before);
  }

  /** One entry less on its way to the first binding step. */
  function gathered(execution: Execution): void {
    if (--execution.gathering > 0) return;
    const carrier = carrierOf(execution);
    if (carrier === null) return;
    execution.stage = execution.batch.plan.firstBinding;
    stretchDone(carrier);
  }

  return {
    arrived(entry) {
      const { execution } = entry;
      if (execution.gathering === 0) {
        stretchDone(entry);
        return;
      }
      stopMoving(entry);
      for (let piece = entry.pieces; piece !== null; piece = piece.next) if (piece.kept) execution.gathered++;
      gathered(execution);
    },
    failed(entry, error) {
      const { execution } = entry;
      if (execution.gathering === 0) {
        failAll(execution, error);
        return;
      }
      settle.fail(entry, error);
      gathered(execution);
    },
    dropped(entry) {
      const { execution } = entry;
      const bound = execution.gathering === 0;
      const arrivedBefore = !bound && entry.live === 0;
      settle.drop(entry);
      if (bound) eachOpen(execution, (other) => settle.failWith(other, CANCELLED));
      else if (!arrivedBefore) gathered(execution);
    },
    hasEnough(execution) {
      const step = limitOf(execution.batch.plan);
      return step !== null && execution.gathered >= step.start + step.count;
    },
    takesOneByOne: (plan) => limitOf(plan) !== null,
  };
}
