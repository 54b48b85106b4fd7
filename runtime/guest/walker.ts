import type { Entry, Piece } from './batch.ts';
import { isThenable, type Step, type UserFunction } from './plan.ts';
import { isArray, nativeNow, promiseOf, promiseThen } from './primordials.ts';
import type { Turn } from './turn.ts';

export interface WalkerOptions {
  readonly turn: Turn;
  /** All records of an entry have come to a binding step or the end. */
  readonly arrived: (entry: Entry) => void;
  readonly failed: (piece: Piece, error: unknown) => void;
}

/** Calls what a step does with a record. */
export function callStep({ fn, own }: Step, piece: Piece): unknown {
  return own === null ? (fn as UserFunction)(piece.value) : own(piece);
}

function timedCall(piece: Piece, at: number, times: number[]): unknown {
  const startedMs = nativeNow();
  try {
    return callStep(piece.entry.batch.plan.steps[at] as Step, piece);
  } finally {
    times[at] = (times[at] as number) + nativeNow() - startedMs;
  }
}

/** Walks records through the steps that look at one record at a time. */
export class Walker {
  readonly #turn: Turn;
  readonly #arrived: (entry: Entry) => void;
  readonly #failed: (piece: Piece, error: unknown) => void;

  constructor(options: WalkerOptions) {
    this.#turn = options.turn;
    this.#arrived = options.arrived;
    this.#failed = options.failed;
  }

  /** A record has gone as far as it can on its own. */
  settle(entry: Entry): void {
    if (--entry.live > 0 || entry.ended) return;
    this.#arrived(entry);
  }

  /** Walks a record from a step on; whatever is thrown on the way is handed to `failed`. */
  advance(piece: Piece, from: number): void {
    try {
      this.#walk(piece, from);
    } catch (error) {
      this.#failed(piece, error);
    }
  }

  /** Walks all kept records of an entry on from a step; afterwards they have settled once. */
  advanceAll(entry: Entry, from: number): void {
    let live = 1;
    for (let piece = entry.pieces; piece !== null; piece = piece.next) if (piece.kept) live++;
    entry.live = live;
    for (let piece = entry.pieces; piece !== null; ) {
      // Looked up first: a flatmap puts its items there.
      const { next }: Piece = piece;
      if (piece.kept && !entry.ended) this.advance(piece, from);
      piece = next;
    }
    this.settle(entry);
  }

  /** Replaces a record by the items of a list; they go on one after the other, results keep their order. */
  expand(piece: Piece, items: readonly unknown[], at: number): void {
    const { entry } = piece;
    const { length } = items;
    piece.kept = false;
    const behind = piece.next;
    let last = piece;
    for (let i = 0; i < length && !entry.ended; i++) {
      const child: Piece = { entry, value: items[i], key: piece.key, kept: true, next: last.next };
      last.next = child;
      last = child;
      entry.live++;
      this.advance(child, at);
      // Children of the child stand behind it.
      while (last.next !== behind) last = last.next as Piece;
    }
    if (!entry.ended) this.settle(entry);
  }

  /** Takes what a step gave. False: the record goes no further from here. */
  #accept(piece: Piece, out: unknown, at: number): boolean {
    const { type } = piece.entry.batch.plan.steps[at] as Step;
    if (type === 'foreach' || type === 'extractkey') return true;
    if (type === 'filter') {
      if (out) return true;
      piece.kept = false;
      piece.entry.filtered = true;
      this.settle(piece.entry);
      return false;
    }
    if (type === 'flatmap' && isArray(out)) {
      this.expand(piece, out, at + 1);
      return false;
    }
    piece.value = out;
    return true;
  }

  /** Goes on with a record when what a step gave has settled. */
  suspend(piece: Piece, out: unknown, at: number): void {
    promiseThen(
      promiseOf(out),
      (value) => this.#resume(piece, value, at),
      (reason) => this.#failed(piece, reason),
    );
  }

  #resume(piece: Piece, value: unknown, at: number): void {
    if (piece.entry.ended) return;
    const before = this.#turn.entry;
    if (before !== piece.entry) this.#turn.enter(piece.entry);
    try {
      if (this.#accept(piece, value, at)) this.#walk(piece, at + 1);
    } catch (error) {
      this.#failed(piece, error);
    }
    if (before !== piece.entry) this.#turn.enter(before);
  }

  #walk(piece: Piece, from: number): void {
    const { steps, times } = piece.entry.batch.plan;
    for (let at = from; at < steps.length; at++) {
      const step = steps[at] as Step;
      if (step.binds) break;
      if (step.fn === null && step.own === null) continue;
      const out = times === null ? callStep(step, piece) : timedCall(piece, at, times);
      if (isThenable(out)) {
        this.suspend(piece, out, at);
        return;
      }
      if (!this.#accept(piece, out, at)) return;
    }
    piece.entry.reached = true;
    this.settle(piece.entry);
  }
}
