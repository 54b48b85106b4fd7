import type { Fold } from './accumulators.ts';
import type { Entry, Piece } from './batch.ts';
import { isThenable } from './plan.ts';
import { nativeNow, promiseOf, promiseThen } from './primordials.ts';
import type { Settle } from './settle.ts';
import type { Gate, Stage } from './stage.ts';
import type { Turn } from './turn.ts';

export interface GatesOptions {
  readonly turn: Turn;
  readonly settle: Pick<Settle, 'touch'>;
  /** An error of one record. */
  readonly note: (entry: Entry, error: unknown) => void;
  /** The records that are left of an entry go on from a step. */
  readonly goOn: (entry: Entry, from: number) => void;
}

/** Lets entries pass the binding steps of their stage, one by one and in their order, whenever they arrive. */
export class Gates {
  readonly #options: GatesOptions;

  constructor(options: GatesOptions) {
    this.#options = options;
  }

  /** An entry begins: after all that have begun before. */
  enqueue(entry: Entry, stage: Stage): void {
    if (stage.tail !== null) stage.tail.follower = entry;
    stage.tail = entry;
    const { gates } = stage;
    for (let i = 0; i < gates.length; i++) (gates[i] as Gate).cursor ??= entry;
  }

  /** All records of an entry have come to its next gate. False: there is none, it is at the end. */
  arrived(entry: Entry, stage: Stage): boolean {
    const gate = stage.gates[entry.passed];
    if (gate === undefined) return false;
    const first = this.#skipPassed(stage, entry.passed);
    if (first === entry && gate.piece === null) this.#pass(entry, stage);
    return true;
  }

  /** An entry has ended, wherever it was. */
  left(entry: Entry, stage: Stage): void {
    const { gates } = stage;
    for (let i = 0; i < gates.length; i++) {
      const gate = gates[i] as Gate;
      if (gate.piece !== null && gate.piece.entry === entry) {
        (gate.fold as Fold).discard(gate.piece);
        gate.piece = null;
        gate.ticket++;
      }
      if (gate.cursor === entry) this.#skipPassed(stage, i);
    }
    this.#lookBehind(entry, stage);
  }

  /** Lets everybody pass who can, each in a turn of its own. True: the deadline came before the last one. */
  settle(stage: Stage, deadline: number): boolean {
    while (stage.pending) {
      stage.pending = false;
      for (let at = stage.gates.length - 1; at >= 0; at--) {
        for (let entry = this.#waiting(stage, at); entry !== null; entry = this.#waiting(stage, at)) {
          this.#options.turn.enter(entry);
          this.#pass(entry, stage);
          if (this.#options.turn.end() <= deadline) continue;
          stage.pending = true;
          return true;
        }
      }
    }
    return false;
  }

  /** The entry whose turn it is at a gate; what has passed or ended is behind it. */
  #skipPassed(stage: Stage, at: number): Entry | null {
    const gate = stage.gates[at] as Gate;
    let { cursor } = gate;
    while (cursor !== null && (cursor.ended || cursor.passed > at)) cursor = cursor.follower;
    gate.cursor = cursor;
    return cursor;
  }

  #waiting(stage: Stage, at: number): Entry | null {
    const entry = this.#skipPassed(stage, at);
    const gate = stage.gates[at] as Gate;
    return entry !== null && entry.passed === at && entry.live === 0 && gate.piece === null ? entry : null;
  }

  /** Whoever waited behind an entry may be able to go on now. */
  #lookBehind(entry: Entry, stage: Stage): void {
    if (stage.pending || entry.follower === null) return;
    stage.pending = true;
    this.#options.settle.touch(stage.feeds[0] ?? (stage.tail as Entry).batch);
  }

  #pass(entry: Entry, stage: Stage): void {
    const gate = stage.gates[entry.passed] as Gate;
    if (gate.fold === null) this.#limit(entry, stage, gate);
    else this.#fold(entry, gate, entry.pieces);
  }

  #limit(entry: Entry, stage: Stage, gate: Gate): void {
    const { start, count } = gate.step;
    for (let piece = entry.pieces; piece !== null; piece = piece.next) {
      if (!piece.kept) continue;
      const number = gate.seen++;
      piece.kept = number >= start && number < start + count;
    }
    if (gate.seen >= start + count) stage.full = true;
    this.#passed(entry, stage, gate);
  }

  #passed(entry: Entry, stage: Stage, gate: Gate): void {
    entry.passed++;
    gate.cursor = entry.follower;
    this.#lookBehind(entry, stage);
    this.#options.goOn(entry, gate.at + 1);
  }

  /** Gives the kept records from one on to the accumulator, one after the other. */
  #fold(entry: Entry, gate: Gate, first: Piece | null): void {
    const fold = gate.fold as Fold;
    for (let piece = first; piece !== null; piece = piece.next) {
      if (!piece.kept) continue;
      piece.kept = false;
      try {
        const out = this.#begin(piece, gate);
        if (isThenable(out)) {
          this.#wait(piece, gate, promiseOf(out));
          return;
        }
        fold.put(piece, out);
      } catch (error) {
        this.#failed(piece, gate, error);
      }
    }
    entry.pieces = null;
    this.#passed(entry, entry.batch.stage as Stage, gate);
  }

  #begin(piece: Piece, gate: Gate): unknown {
    const { times } = piece.entry.batch.plan;
    if (times === null) return (gate.fold as Fold).begin(piece);
    const startedMs = nativeNow();
    const out = (gate.fold as Fold).begin(piece);
    times[gate.at] = (times[gate.at] as number) + nativeNow() - startedMs;
    return out;
  }

  /** Goes on with an entry when its accumulator has answered for a record of it. */
  await(piece: Piece, gate: Gate, out: unknown): void {
    this.#wait(piece, gate, promiseOf(out));
  }

  /** The accumulator threw for a record; its entry goes on without it. */
  fail(piece: Piece, gate: Gate, error: unknown): void {
    this.#failed(piece, gate, error);
    this.#fold(piece.entry, gate, piece.next);
  }

  #failed(piece: Piece, gate: Gate, error: unknown): void {
    (gate.fold as Fold).discard(piece);
    this.#options.note(piece.entry, error);
  }

  #wait(piece: Piece, gate: Gate, out: Promise<unknown>): void {
    const ticket = ++gate.ticket;
    gate.piece = piece;
    const settled = (take: () => void): void => {
      if (gate.ticket !== ticket) return;
      const { turn } = this.#options;
      const before = turn.entry;
      if (before !== piece.entry) turn.enter(piece.entry);
      gate.piece = null;
      take();
      this.#fold(piece.entry, gate, piece.next);
      if (before !== piece.entry) turn.enter(before);
    };
    promiseThen(
      out,
      (value) => settled(() => (gate.fold as Fold).put(piece, value)),
      (error) => settled(() => this.#failed(piece, gate, error)),
    );
  }
}
