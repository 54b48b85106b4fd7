/**
 * Replies that are made out of order and leave in order. A place is taken when the request comes, filled when its answer is
 * there; everything up to the first gap goes to `emit`.
 */
export class ReplyQueue<Data> {
  #places: (Data | undefined)[] = [];
  #first = 0;
  /** Number of the place at `#places[#first]`. */
  #base = 0;
  readonly #emit: (data: Data) => void;

  constructor(emit: (data: Data) => void) {
    this.#emit = emit;
  }

  /** Places taken whose answer has not left. */
  get size(): number {
    return this.#places.length - this.#first;
  }

  take(): number {
    this.#places.push(undefined);
    return this.#base + this.size - 1;
  }

  /** Answers a place; a second answer for the same place is ignored. */
  fill(place: number, data: Data): void {
    const at = this.#first + (place - this.#base);
    if (place < this.#base || this.#places[at] !== undefined) return;
    this.#places[at] = data;
    if (at === this.#first) this.#release();
  }

  #release(): void {
    for (;;) {
      const data = this.#places[this.#first];
      if (data === undefined) break;
      this.#places[this.#first] = undefined;
      this.#first += 1;
      this.#base += 1;
      this.#emit(data);
    }
    if (this.#first === this.#places.length) {
      this.#places.length = 0;
      this.#first = 0;
    } else if (this.#first > 1024) {
      this.#places = this.#places.slice(this.#first);
      this.#first = 0;
    }
  }
}
