import { type Batch, type Entry, openEntry, type Piece } from './batch.ts';
import { cancelUnbegun, isCancelled } from './cancelled.ts';
import { createExecution } from './create-execution.ts';
import { describeError, errorJson } from './describe.ts';
import { guestError } from './errors.ts';
import { Gates } from './gates.ts';
import { append } from './numbers.ts';
import type { Parser } from './parse.ts';
import { isThenable } from './plan.ts';
import { mapDelete, mapGet, mapSet, NativeMap, promiseThen, setHas } from './primordials.ts';
import type { Pulled } from './puller.ts';
import { createRecordWriter } from './record-writer.ts';
import type { Runner } from './run.ts';
import type { Run } from './run-arguments.ts';
import { type Settle, stopMoving } from './settle.ts';
import { capOf, createStage, hasEnough, type Stage, type StageOpening, takeDrained } from './stage.ts';
import { createStageInput, type StageInput } from './stage-input.ts';
import { Lane } from './stage-lane.ts';
import { encodeOutput, type StageEncoder } from './stage-output.ts';
import type { Turn } from './turn.ts';
import { Walker } from './walker.ts';

/** No further records begin while this much text of commands waits to be sent. */
const MAX_PENDING_BYTES = 8 * 1024 * 1024;
/** Errors of records that a stage tells of; the first one has ended its input anyway. */
const MAX_ERRORS = 1_000;

export interface StageRunnerOptions {
  readonly parser: Parser;
  readonly turn: Turn;
  readonly settle: Settle;
  readonly outputBytes: number;
}

/** Runs the records of stages. Every record is an entry of its batch, so that limits, turns and blame hold as for events. */
export class StageRunner implements Runner {
  readonly #turn: Turn;
  readonly #settle: Settle;
  readonly #walker: Walker;
  readonly #gates: Gates;
  readonly #lane: Lane;
  readonly #input: StageInput;
  readonly #encoder: StageEncoder;
  readonly #stages = new NativeMap<number, Stage>();

  constructor({ parser, turn, settle, outputBytes }: StageRunnerOptions) {
    this.#input = createStageInput(parser);
    this.#turn = turn;
    this.#settle = settle;
    this.#walker = new Walker({
      turn,
      arrived: (entry) => this.#arrived(entry),
      failed: (piece, error) => this.#failed(piece, error),
    });
    this.#gates = new Gates({
      turn,
      settle,
      note: (entry, error) => this.#noteAt(entry.batch, entry.index, error),
      goOn: (entry, from) => this.#walker.advanceAll(entry, from),
    });
    this.#lane = new Lane({
      ...{ turn, settle, walker: this.#walker, gates: this.#gates },
      finish: (entry, stage) => this.#finish(entry, stage),
      failed: (piece, error) => this.#failed(piece, error),
    });
    this.#encoder = {
      writer: createRecordWriter(),
      outputBytes,
      failed: (piece, error) => this.#noteAt(piece.entry.batch, piece.entry.index, error),
    };
  }

  /** Throws when the run has no such steps. */
  open(run: Run, opening: StageOpening): void {
    mapSet(this.#stages, opening.stage, createStage(run, opening));
  }

  close(id: number): void {
    mapDelete(this.#stages, id);
  }

  stageOf(id: number): Stage {
    const stage = mapGet(this.#stages, id);
    if (stage !== undefined) return stage;
    throw guestError('GUEST_ERROR', `There is no stage ${id}.`);
  }

  pump(batch: Batch, deadline: number): boolean {
    const stage = batch.stage as Stage;
    do {
      if (stage.pending && this.#gates.settle(stage, deadline)) return true;
      if (stage.feeds[0] === batch && this.#beginAll(batch, stage, deadline)) return true;
    } while (stage.pending);
    return false;
  }

  /** Begins entries for as long as that may be. True: only the deadline stopped it. */
  #beginAll(batch: Batch, stage: Stage, deadline: number): boolean {
    while (batch.nextIndex < batch.entryCount) {
      const readiness = this.#readiness(stage, batch);
      if (readiness === 'wait') return false;
      if (readiness === 'end') this.#endRest(batch);
      else if (this.#begin(batch, stage) > deadline && batch.nextIndex < batch.entryCount) return true;
    }
    this.#nextFeed(stage);
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

  #nextFeed(stage: Stage): void {
    const { feeds } = stage;
    for (let i = 1; i < feeds.length; i++) feeds[i - 1] = feeds[i] as Batch;
    feeds.length--;
    if (feeds.length > 0) this.#settle.touch(feeds[0] as Batch);
  }

  /** None of the entries that have not begun will; nothing comes of them. */
  #endRest(batch: Batch): void {
    while (batch.nextIndex < batch.entryCount) {
      const index = batch.nextIndex++;
      batch.ended++;
      if (!isCancelled(batch, index)) append(batch.filtered, index);
    }
  }

  #readiness(stage: Stage, batch: Batch): 'go' | 'wait' | 'end' {
    if (batch.source !== 'drain') {
      if (hasEnough(stage)) return 'end';
      if (stage.pulling) return 'wait';
    }
    if (stage.open >= capOf(stage) || batch.commands.length > MAX_PENDING_BYTES) return 'wait';
    return batch.source === 'drain' ? this.#drainReadiness(stage, batch) : 'go';
  }

  /** One accumulator after the other; the next when all records of the one before have come to it. */
  #drainReadiness(stage: Stage, batch: Batch): 'go' | 'wait' | 'end' {
    for (;;) {
      const { drained } = stage;
      if (drained !== null && !stage.full && stage.drainedAt < drained.values.length) return 'go';
      stage.drained = null;
      if (stage.open > 0) return 'wait';
      stage.full = false;
      stage.draining++;
      const gate = stage.gates[stage.draining];
      if (gate === undefined) {
        stage.over = true;
        return 'end';
      }
      if (gate.fold === null) continue;
      stage.drainedAt = 0;
      try {
        stage.drained = gate.fold.drain();
      } catch (error) {
        this.#noteAt(batch, batch.nextIndex, error);
      }
      this.#turn.end();
    }
  }

  /** Begins the next entry; returns the time when its turn has ended. */
  #begin(batch: Batch, stage: Stage): number {
    const index = batch.nextIndex;
    const record = this.#nextRecord(batch, stage);
    const isShort = record !== null && stage.open === 0 && stage.plan.times === null;
    if (isShort && !isCancelled(batch, index)) {
      return this.#lane.begin(batch, stage, { piece: record, passed: stage.draining + 1 });
    }
    batch.started++;
    const entry = openEntry(batch, createExecution(batch, index));
    stage.open++;
    this.#gates.enqueue(entry, stage);
    this.#turn.enter(entry);
    if (isCancelled(batch, index)) this.#drop(entry);
    else if (record === null) this.#pull(entry, stage);
    else this.#beginWith(entry, record);
    return this.#turn.end();
  }

  /** Null: it has to be pulled. */
  #nextRecord(batch: Batch, stage: Stage): Piece | null {
    if (batch.source === 'feed') return this.#input.read(batch, stage);
    return batch.source === 'drain' ? takeDrained(stage) : null;
  }

  #beginWith(entry: Entry, piece: Piece): void {
    const { draining, gates } = entry.batch.stage as Stage;
    (piece as { entry: Entry }).entry = entry;
    entry.pieces = piece;
    entry.passed = draining + 1;
    this.#walker.advance(piece, draining < 0 ? 0 : (gates[draining]?.at ?? 0) + 1);
  }

  #pull(entry: Entry, stage: Stage): void {
    try {
      const out = (stage.puller as NonNullable<Stage['puller']>).next();
      if (isThenable(out)) this.#pullLater(entry, stage, out as Promise<Pulled>);
      else this.#pulled(entry, stage, out as Pulled);
    } catch (error) {
      this.#pullFailed(entry, stage, error);
    }
  }

  #pullLater(entry: Entry, stage: Stage, pulled: Promise<Pulled>): void {
    stage.pulling = true;
    const settled = (then: () => void): void => {
      if (entry.ended) return;
      stage.pulling = false;
      this.#inTurn(entry, then);
      this.#wake(stage);
    };
    promiseThen(
      pulled,
      (out) => settled(() => this.#pulled(entry, stage, out as Pulled)),
      (error) => settled(() => this.#pullFailed(entry, stage, error)),
    );
  }

  #pulled(entry: Entry, stage: Stage, { done, value }: Pulled): void {
    if (done) {
      stage.stopped = true;
      this.#finish(entry, stage);
    } else this.#beginWith(entry, { entry, value, key: null, kept: true, next: null });
  }

  #pullFailed(entry: Entry, stage: Stage, error: unknown): void {
    this.#noteAt(entry.batch, entry.index, error);
    this.#finish(entry, stage);
  }

  #inTurn(entry: Entry, work: () => void): void {
    const before = this.#turn.entry;
    if (before !== entry) this.#turn.enter(entry);
    work();
    if (before !== entry) this.#turn.enter(before);
  }

  #wake(stage: Stage): void {
    if (stage.feeds.length > 0) this.#settle.touch(stage.feeds[0] as Batch);
  }

  #arrived(entry: Entry): void {
    const stage = entry.batch.stage as Stage;
    if (!this.#gates.arrived(entry, stage)) this.#finish(entry, stage);
  }

  #finish(entry: Entry, stage: Stage): void {
    const text = encodeOutput(entry, stage, this.#encoder);
    stage.open--;
    entry.reached = text !== '';
    entry.filtered = text === '';
    this.#settle.finish(entry, text);
    this.#gates.left(entry, stage);
    this.#wake(stage);
  }

  #failed(piece: Piece, error: unknown): void {
    const { entry } = piece;
    if (entry.ended || !piece.kept) return;
    piece.kept = false;
    this.#inTurn(entry, () => {
      this.#noteAt(entry.batch, entry.index, error);
      this.#walker.settle(entry);
    });
  }

  /** An error of a record ends the input, as in the reference; what was begun goes on. */
  #noteAt(batch: Batch, index: number, error: unknown): void {
    const stage = batch.stage as Stage;
    if (batch.source !== 'drain') stage.stopped = true;
    this.#settle.touch(batch);
    if (stage.errors++ >= MAX_ERRORS) return;
    const json = `{"index":${index},"error":${errorJson(describeError(error))}}`;
    batch.stageErrors += batch.stageErrors === '' ? json : `,${json}`;
  }

  /** The node has given the entry up, which it tells by itself. */
  #drop(entry: Entry): void {
    if (entry.ended) return;
    const stage = entry.batch.stage as Stage;
    if (entry.batch.source === 'pull' && entry.pieces === null) stage.pulling = false;
    if (entry.batch.source !== 'drain') stage.stopped = true;
    stopMoving(entry);
    this.#settle.drop(entry);
    stage.open--;
    this.#gates.left(entry, stage);
    this.#wake(stage);
  }
}
