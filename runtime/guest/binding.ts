import type { GuestErrorReport } from '../sandbox/messages.ts';
import { createFold, type Drained } from './accumulators.ts';
import type { Entry, Execution, Piece } from './batch.ts';
import { describeError } from './describe.ts';
import { isThenable, nextBinding, type Plan, type Step } from './plan.ts';
import { bareList, promiseOf, promiseThen } from './primordials.ts';
import { type Settle, stopMoving } from './settle.ts';
import type { Turn } from './turn.ts';

/**
 * The part of a run that ties the records of an execution together (accumulate, accumulatebykey, group, limit). The records of all
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
}

const CANCELLED: GuestErrorReport = {
  code: 'LIMIT_EXECUTION_TIME',
  name: 'Error',
  message: 'Another entry of the same execution was given up; its records are bound together.',
  stack: '',
};

function limitOf(plan: Plan): Step | null {
  const step = plan.steps[plan.firstBinding];
  return step !== undefined && step.type === 'limit' ? step : null;
}

export function createBinding(options: BindingOptions): Binding {
  return new Binder(options);
}

class Binder implements Binding {
  readonly #turn: Turn;
  readonly #settle: Settle;
  readonly #advance: BindingOptions['advance'];

  constructor(options: BindingOptions) {
    this.#turn = options.turn;
    this.#settle = options.settle;
    this.#advance = options.advance;
  }

  #carrierOf(execution: Execution): Entry | null {
    let carrier: Entry | null = null;
    this.#eachOpen(execution, (entry) => {
      if (carrier === null || entry.reached) carrier = entry;
    });
    return carrier;
  }

  #failAll(execution: Execution, error: unknown): void {
    const report = describeError(error);
    this.#eachOpen(execution, (entry) => this.#settle.failWith(entry, report));
  }

  #eachOpen(execution: Execution, visit: (entry: Entry) => void): void {
    const entries = execution.entries as Entry[];
    for (let i = 0; i < execution.end - execution.first; i++) {
      const entry = entries[i];
      if (entry !== undefined && !entry.ended) visit(entry);
    }
  }

  /** Kept records in order: of all entries the first time, of the carrier later. */
  #gather(execution: Execution): Piece[] {
    const records = bareList<Piece>();
    this.#eachOpen(execution, (entry) => {
      for (let piece = entry.pieces; piece !== null; piece = piece.next) {
        if (piece.kept) records[records.length] = piece;
      }
      entry.pieces = null;
    });
    return records;
  }

  /** The gathered records go on as these values, all belonging to one entry. */
  #goOn(execution: Execution, { values, keys }: Drained, at: number): void {
    const entry = this.#carrierOf(execution);
    if (entry === null) return;
    const { steps } = entry.batch.plan;
    execution.stage = nextBinding(steps, at);
    let first: Piece | null = null;
    for (let i = values.length - 1; i >= 0; i--) {
      first = { entry, value: values[i], key: keys[i] as string | null, kept: true, next: first };
    }
    entry.pieces = first;
    entry.live = values.length + 1;
    const before = this.#turn.entry;
    this.#turn.enter(entry);
    // The piece behind this one is looked up first: a flatmap puts its items there.
    for (let piece = first; piece !== null; ) {
      const { next }: Piece = piece;
      if (!entry.ended) this.#advance(piece, at);
      piece = next;
    }
    if (!entry.ended && --entry.live === 0) this.#stretchDone(entry);
    this.#turn.enter(before);
  }

  #finishAll(execution: Execution, carrier: Entry): void {
    const results = this.#settle.encode(carrier);
    this.#eachOpen(execution, (entry) => this.#settle.finish(entry, entry === carrier ? results : ''));
  }

  #stretchDone(entry: Entry): void {
    const { execution } = entry;
    try {
      if (execution.stage === entry.batch.plan.steps.length) this.#finishAll(execution, entry);
      else this.#bind(execution, execution.stage);
    } catch (error) {
      this.#failAll(execution, error);
    }
  }

  /** True when a reducer's value is still to come; `next` is called with it. */
  #reduce(out: unknown, execution: Execution, next: (value: unknown) => void): boolean {
    if (!isThenable(out)) return false;
    promiseThen(
      promiseOf(out),
      (value) => {
        const before = this.#turn.entry;
        try {
          next(value);
        } catch (error) {
          this.#failAll(execution, error);
        }
        this.#turn.enter(before);
      },
      (reason) => this.#failAll(execution, reason),
    );
    return true;
  }

  #fold(execution: Execution, records: readonly Piece[], at: number): void {
    const fold = createFold(execution.batch.plan.steps[at] as Step);
    const run = (from: number): void => {
      for (let i = from; i < records.length; i++) {
        const piece = records[i] as Piece;
        this.#turn.enter(piece.entry);
        const out = fold.begin(piece);
        const put = (value: unknown): void => {
          fold.put(piece, value);
          run(i + 1);
        };
        if (this.#reduce(out, execution, put)) return;
        fold.put(piece, out);
      }
      this.#goOn(execution, fold.drain(), at + 1);
    };
    run(0);
  }

  #limit(execution: Execution, records: readonly Piece[], at: number): void {
    const { start, count } = execution.batch.plan.steps[at] as Step;
    const passed: Drained = { values: bareList(), keys: bareList() };
    for (let i = start; i < records.length && i < start + count; i++) {
      const { value, key } = records[i] as Piece;
      passed.keys[passed.values.length] = key;
      passed.values[passed.values.length] = value;
    }
    this.#goOn(execution, passed, at + 1);
  }

  #bind(execution: Execution, at: number): void {
    const records = this.#gather(execution);
    const before = this.#turn.entry;
    const { type } = execution.batch.plan.steps[at] as Step;
    if (type === 'limit') this.#limit(execution, records, at);
    else this.#fold(execution, records, at);
    this.#turn.enter(before);
  }

  /** One entry less on its way to the first binding step. */
  #gathered(execution: Execution): void {
    if (--execution.gathering > 0) return;
    const carrier = this.#carrierOf(execution);
    if (carrier === null) return;
    execution.stage = execution.batch.plan.firstBinding;
    this.#stretchDone(carrier);
  }

  arrived(entry: Entry): void {
    const { execution } = entry;
    if (execution.gathering === 0) {
      this.#stretchDone(entry);
      return;
    }
    stopMoving(entry);
    for (let piece = entry.pieces; piece !== null; piece = piece.next) if (piece.kept) execution.gathered++;
    this.#gathered(execution);
  }

  failed(entry: Entry, error: unknown): void {
    const { execution } = entry;
    if (execution.gathering === 0) {
      this.#failAll(execution, error);
      return;
    }
    this.#settle.fail(entry, error);
    this.#gathered(execution);
  }

  dropped(entry: Entry): void {
    const { execution } = entry;
    const bound = execution.gathering === 0;
    const arrivedBefore = !bound && entry.live === 0;
    this.#settle.drop(entry);
    if (bound) this.#eachOpen(execution, (other) => this.#settle.failWith(other, CANCELLED));
    else if (!arrivedBefore) this.#gathered(execution);
  }

  hasEnough(execution: Execution): boolean {
    const step = limitOf(execution.batch.plan);
    return step !== null && execution.gathered >= step.start + step.count;
  }

  takesOneByOne(plan: Plan): boolean {
    return limitOf(plan) !== null;
  }
}
