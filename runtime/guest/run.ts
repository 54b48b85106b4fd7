import type { GuestErrorReport } from '../sandbox/messages.ts';
import { type Batch, type Entry, type Execution, openEntry, type Piece } from './batch.ts';
import { type Binding, createBinding } from './binding.ts';
import { cancelUnbegun, isCancelled } from './cancelled.ts';
import { createExecution } from './create-execution.ts';
import { isInWork, orderKeyOf, takeKey } from './key-order.ts';
import type { Parser } from './parse.ts';
import { promiseThen, setHas } from './primordials.ts';
import { noteFailed, type Settle, stopMoving } from './settle.ts';
import type { Turn } from './turn.ts';
import { Walker } from './walker.ts';

/** Most entries of a batch that may be under way at once, as many as RedisGears let wait per step. */
const MAX_MOVING = 1_000;
/** No further entries begin while this much text of commands waits to be sent. */
const MAX_PENDING_BYTES = 8 * 1024 * 1024;

const NOT_STARTED: GuestErrorReport = {
  code: 'NOT_STARTED',
  name: 'Error',
  message: 'An entry before this one failed, and the order must be kept.',
  stack: '',
};

export interface Runner {
  /**
   * Begins entries of a batch until all have begun, a cap is reached, its order forbids more, or `deadline` has passed.
   * True: only the deadline stopped it.
   */
  pump(batch: Batch, deadline: number): boolean;
  /** The node has given these entries up. */
  cancel(batch: Batch, positions: Set<number>): void;
}

export interface RunnerOptions {
  readonly parser: Parser;
  readonly turn: Turn;
  readonly settle: Settle;
  /** Of a call: resolves when nothing else of the key is in work. */
  readonly awaitKey: (entry: Entry, key: string) => Promise<unknown>;
}

/** Walks records through plans. Records of plans without binding steps never wait for each other. */
export function createRunner(options: RunnerOptions): Runner {
  return new PlanRunner(options);
}

class PlanRunner implements Runner {
  readonly #parser: Parser;
  readonly #turn: Turn;
  readonly #settle: Settle;
  readonly #awaitKey: RunnerOptions['awaitKey'];
  readonly #binding: Binding;
  readonly #walker: Walker;

  constructor(options: RunnerOptions) {
    this.#parser = options.parser;
    this.#turn = options.turn;
    this.#settle = options.settle;
    this.#awaitKey = options.awaitKey;
    this.#walker = new Walker({
      turn: options.turn,
      arrived: (entry) => this.#arrived(entry),
      failed: (piece, error) => this.#failPiece(piece, error),
    });
    const advance = (piece: Piece, from: number): void => this.#walker.advance(piece, from);
    this.#binding = createBinding({ turn: options.turn, settle: options.settle, advance });
  }

  #arrived(entry: Entry): void {
    if (entry.batch.plan.binds) this.#binding.arrived(entry);
    else this.#settle.finish(entry, this.#settle.encode(entry));
  }

  #failPiece(piece: Piece, error: unknown): void {
    const { entry } = piece;
    if (entry.ended) return;
    if (entry.batch.plan.binds) this.#binding.failed(entry, error);
    else this.#settle.fail(entry, error);
  }

  #parseRecord(batch: Batch): unknown {
    if (batch.isKeys) return this.#parser.keyRecord();
    if (!batch.isStream) return this.#parser.commandRecord();
    const entry = this.#parser.streamRecord(batch.key);
    return batch.adapt === null ? entry : batch.adapt(entry);
  }

  #readRecord(batch: Batch): unknown {
    this.#parser.open(batch.payload, batch.at, batch.ascii);
    if (batch.at === 0) this.#parser.arrayLength();
    const record = this.#parseRecord(batch);
    batch.at = this.#parser.at;
    return record;
  }

  /** Begins the next entry; returns the time when its turn has ended. */
  #begin(batch: Batch, execution: Execution): number {
    const record = this.#readRecord(batch);
    const cancelled = isCancelled(batch, batch.nextIndex);
    const entry = openEntry(batch, execution);
    if (batch.isKeys) entry.command = this.#parser.lastCommand;
    if (cancelled) {
      this.#drop(entry);
      return 0;
    }
    this.#turn.enter(entry);
    if (execution.entries !== null) execution.entries[entry.index - execution.first] = entry;
    if (this.#binding.hasEnough(execution)) {
      entry.reached = true;
      entry.live = 0;
      this.#binding.arrived(entry);
    } else {
      const piece: Piece = { entry, value: record, key: null, kept: true, next: null };
      entry.pieces = piece;
      this.#advance(piece);
    }
    return this.#turn.end();
  }

  /** Lets a record begin; where order is kept per key, not before its key is free. */
  #advance(piece: Piece): void {
    const { batch } = piece.entry;
    const keyOf = batch.plan.key ?? null;
    if (keyOf === null) {
      this.#walker.advance(piece, 0);
      return;
    }
    try {
      const key = orderKeyOf(keyOf(piece.value));
      if (!batch.isStream && !batch.isKeys) this.#advanceInLine(piece, key);
      else if (isInWork(batch.keyOrder, key)) batch.keyOrder.heldBack = { piece, key };
      else this.#advanceWith(piece, key);
    } catch (error) {
      this.#failPiece(piece, error);
    }
  }

  /** Calls of a key are everywhere in the fleet: the node says when it is this one's turn. */
  #advanceInLine(piece: Piece, key: string): void {
    promiseThen(
      this.#awaitKey(piece.entry, key),
      () => this.#walker.advance(piece, 0),
      (error) => this.#failPiece(piece, error),
    );
  }

  #advanceWith(piece: Piece, key: string): void {
    takeKey(piece.entry.batch.keyOrder, key);
    piece.entry.holdsKey = key;
    this.#walker.advance(piece, 0);
  }

  /** True when no entry waits for its key any more. */
  #releaseHeld(batch: Batch): boolean {
    const { heldBack } = batch.keyOrder;
    if (heldBack === null) return true;
    const { piece, key } = heldBack;
    if (!piece.entry.ended && isInWork(batch.keyOrder, key)) return false;
    batch.keyOrder.heldBack = null;
    if (piece.entry.ended) return true;
    if (batch.stopAtFailure && batch.keyOrder.hasFailed) this.#settle.failWith(piece.entry, NOT_STARTED);
    else {
      this.#turn.enter(piece.entry);
      this.#advanceWith(piece, key);
      this.#turn.end();
    }
    return true;
  }

  #drop(entry: Entry): void {
    if (entry.ended) return;
    // Whether it has run nobody knows: where order is kept per key, nothing of its key may begin.
    entry.batch.keyOrder.hasFailed = true;
    stopMoving(entry);
    if (entry.batch.plan.binds) this.#binding.dropped(entry);
    else this.#settle.drop(entry);
  }

  /** None of the entries that have not begun will. */
  #stop(batch: Batch): null {
    while (batch.nextIndex < batch.entryCount) {
      const index = batch.nextIndex++;
      batch.ended++;
      if (!isCancelled(batch, index)) noteFailed(batch, index, NOT_STARTED);
    }
    return null;
  }

  /** The execution that the next entry belongs to; null while the order forbids another one. */
  #nextExecution(batch: Batch): Execution | null {
    const { execution } = batch;
    if (execution !== null && batch.nextIndex < execution.end) return execution;
    const keyed = (batch.plan.key ?? null) !== null;
    if (batch.ordered && !keyed && execution !== null && execution.open > 0) return null;
    const failed = keyed ? batch.keyOrder.hasFailed : execution?.failed === true;
    if (batch.stopAtFailure && failed) return this.#stop(batch);
    const next = createExecution(batch, batch.nextIndex);
    batch.execution = next;
    batch.started++;
    this.#settle.touch(batch);
    return next;
  }

  pump(batch: Batch, deadline: number): boolean {
    const oneByOne = batch.plan.binds && (batch.ordered || this.#binding.takesOneByOne(batch.plan));
    const cap = oneByOne ? 1 : MAX_MOVING;
    while (this.#releaseHeld(batch) && batch.nextIndex < batch.entryCount) {
      if (batch.moving >= cap || batch.commands.length > MAX_PENDING_BYTES) return false;
      const execution = this.#nextExecution(batch);
      if (execution === null) return false;
      if (this.#begin(batch, execution) > deadline) return batch.nextIndex < batch.entryCount;
    }
    return false;
  }

  cancel(batch: Batch, positions: Set<number>): void {
    cancelUnbegun(batch, positions);
    for (let entry = batch.firstOpen; entry !== null; ) {
      const { next } = entry;
      if (setHas(positions, entry.index)) this.#drop(entry);
      entry = next;
    }
  }
}
