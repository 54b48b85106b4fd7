import { type Batch, type Entry, type Execution, openEntry, type Piece } from './batch.ts';
import { createExecution } from './create-execution.ts';
import type { Gates } from './gates.ts';
import { isThenable, type Step } from './plan.ts';
import { isArray } from './primordials.ts';
import type { Settle } from './settle.ts';
import type { Gate, Stage } from './stage.ts';
import type { Turn } from './turn.ts';
import { callStep, type Walker } from './walker.ts';

export interface LaneOptions {
  readonly turn: Turn;
  readonly settle: Settle;
  readonly walker: Walker;
  readonly gates: Gates;
  /** Ends an entry with the records it has come to. */
  readonly finish: (entry: Entry, stage: Stage) => void;
  readonly failed: (piece: Piece, error: unknown) => void;
}

export interface LaneRecord {
  readonly piece: Piece;
  readonly passed: number;
}

type Passage = 'on' | 'ended' | 'left';
/** What a step gave. */
interface Given {
  readonly step: Step;
  readonly out: unknown;
  readonly at: number;
}

type Mutable<T> = { -readonly [Name in keyof T]: T[Name] };

/**
 * The short way through a stage, for a record that finds no other one under way: it passes the binding steps at once, and when it
 * has ended without anybody having kept its entry, that entry serves the next record. Most records of most runs only come
 * to an accumulator, and this is all that happens to them. Whatever has to be waited for leaves for the long way.
 */
export class Lane {
  readonly #options: LaneOptions;
  #free: Entry | null = null;

  constructor(options: LaneOptions) {
    this.#options = options;
  }

  /**
   * Begins the next entry of a batch while none of the stage is open, with its record; returns the time when its turn has ended.
   * @param passed binding steps that are behind the record.
   */
  begin(batch: Batch, stage: Stage, { piece, passed }: LaneRecord): number {
    const { turn } = this.#options;
    batch.started++;
    const entry = this.#open(batch);
    entry.passed = passed;
    stage.open++;
    (piece as Mutable<Piece>).entry = entry;
    const { asked } = turn;
    turn.enter(entry);
    const isShort = this.#walk(piece, stage, passed === 0 ? 0 : (stage.gates[passed - 1] as Gate).at + 1);
    const now = turn.end();
    if (isShort && turn.asked === asked) this.#free = entry;
    return now;
  }

  #open(batch: Batch): Entry {
    const entry = this.#free;
    this.#free = null;
    if (entry === null || entry.batch !== batch) return openEntry(batch, createExecution(batch, batch.nextIndex));
    const index = batch.nextIndex++;
    const execution = entry.execution as Mutable<Execution>;
    execution.first = index;
    execution.end = index + 1;
    execution.open = 1;
    execution.output = 0;
    (entry as Mutable<Entry>).index = index;
    entry.ended = false;
    entry.moving = true;
    entry.live = 1;
    entry.reached = false;
    entry.filtered = false;
    batch.firstOpen = entry;
    batch.lastOpen = entry;
    batch.open++;
    batch.moving++;
    return entry;
  }

  /** True: the record has ended here. False: it has gone the long way. */
  #walk(piece: Piece, stage: Stage, from: number): boolean {
    const { steps } = stage.plan;
    for (let at = from; at < steps.length; at++) {
      const step = steps[at] as Step;
      const passage = step.binds ? this.#pass(piece, stage) : this.#take(piece, stage, at);
      if (passage !== 'on') return passage === 'ended';
    }
    const { entry } = piece;
    entry.reached = true;
    entry.live = 0;
    entry.pieces = piece;
    this.#options.finish(entry, stage);
    return true;
  }

  /** Brings a record through a step that looks at it alone. */
  #take(piece: Piece, stage: Stage, at: number): Passage {
    const step = stage.plan.steps[at] as Step;
    if (step.fn === null && step.own === null) return 'on';
    let out: unknown;
    try {
      out = callStep(step, piece);
      if (isThenable(out)) {
        this.#leave(piece, stage);
        this.#options.walker.suspend(piece, out, at);
        return 'left';
      }
    } catch (error) {
      this.#leave(piece, stage);
      this.#options.failed(piece, error);
      return 'left';
    }
    if (step.type === 'filter') return out ? 'on' : this.#drop(piece.entry, stage);
    return this.#accept(piece, stage, { step, out, at });
  }

  #accept(piece: Piece, stage: Stage, { step, out, at }: Given): Passage {
    const { type } = step;
    if (type === 'foreach' || type === 'extractkey') return 'on';
    if (type === 'flatmap' && isArray(out)) {
      this.#leave(piece, stage);
      this.#options.walker.expand(piece, out, at + 1);
      return 'left';
    }
    piece.value = out;
    return 'on';
  }

  /** Brings a record through the next binding step. */
  #pass(piece: Piece, stage: Stage): Passage {
    const { entry } = piece;
    const gate = stage.gates[entry.passed] as Gate;
    if (gate.fold === null) {
      const { start, count } = gate.step;
      const number = gate.seen++;
      if (gate.seen >= start + count) stage.full = true;
      entry.passed++;
      if (number >= start && number < start + count) return 'on';
      return this.#drop(entry, stage);
    }
    try {
      const out = gate.fold.begin(piece);
      if (isThenable(out)) {
        this.#leaveAt(piece, stage);
        this.#options.gates.await(piece, gate, out);
        return 'left';
      }
      gate.fold.put(piece, out);
    } catch (error) {
      this.#leaveAt(piece, stage);
      this.#options.gates.fail(piece, gate, error);
      return 'left';
    }
    return this.#drop(entry, stage);
  }

  /** Nothing comes of the entry, or nothing yet. */
  #drop(entry: Entry, stage: Stage): Passage {
    stage.open--;
    entry.filtered = true;
    this.#options.settle.finish(entry, '');
    return 'ended';
  }

  /** From now on the entry is one of those that wait for each other. */
  #leave(piece: Piece, stage: Stage): void {
    piece.entry.pieces = piece;
    this.#options.gates.enqueue(piece.entry, stage);
  }

  /** The same in the middle of a binding step, which the record is not to see again. */
  #leaveAt(piece: Piece, stage: Stage): void {
    this.#leave(piece, stage);
    piece.kept = false;
    piece.entry.live = 0;
  }
}
