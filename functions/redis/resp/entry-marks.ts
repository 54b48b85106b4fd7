import { digitsEnd, isLineEnd, numberBetween, stringsEnd } from './plain.ts';
import type { StreamBatch } from './stream-reply.ts';

const DOLLAR = 36;
const STAR = 42;
/** Kept per entry: where it begins, where its id begins and ends. */
const NUMBERS = 3;
/** Room for so many entries to begin with; most reads bring few. */
const FIRST_ENTRIES = 8;
const GROWTH = 4;
/** `due` of a reply that is not followed any more. */
const LOST = -1;

interface MarkedStream {
  readonly key: string;
  /** Where its entry array begins, and where its last entry ends. */
  readonly start: number;
  end: number;
  /** Number of its first entry among those of all streams, and of the one behind its last. */
  readonly first: number;
  last: number;
}

/**
 * Where the entries of one XREADGROUP or XREAD reply (RESP2) are, found while the reply is framed: so its text is walked
 * once. What is not plainly such a reply is given up and has to be scanned when it is whole.
 */
export class EntryMarks {
  /** Position in the reply of the first character of the present chunk. */
  base = 0;
  /** Elements that are outstanding where `take` stopped. */
  outstanding = 1;
  /** So many are outstanding where the next stream or entry begins. */
  due = 1;
  #opened = false;
  #streamsLeft = 0;
  #entriesLeft = 0;
  #count = 0;
  #at = 0;
  #headerEnd = 0;
  #positions = new Int32Array(NUMBERS * FIRST_ENTRIES);
  readonly #streams: MarkedStream[] = [];

  /**
   * Takes streams and entries that are complete in the chunk, from `from` on, where a stream or an entry begins. Returns where
   * it stopped. An entry that is cut off or out of the ordinary is only noted: the walk takes it, down to `due`.
   */
  take(text: string, from: number): number {
    this.#at = from;
    while (this.#at < text.length && (this.#entriesLeft > 0 || this.#open(text))) {
      const start = this.#at;
      this.#entriesLeft -= 1;
      this.due = this.outstanding - 1;
      if (!this.#takeEntry(text)) {
        this.#mark(start, start, start);
        break;
      }
      this.outstanding = this.due;
    }
    return this.#at;
  }

  /** Streams of the whole reply `text`; null when it was given up. */
  split(text: string): readonly StreamBatch[] | null {
    if (this.due !== 0) return null;
    this.#closeStream(text.length);
    const batches: StreamBatch[] = [];
    for (const stream of this.#streams) {
      const batch = this.#batchOf(text, stream);
      if (batch === null) return null;
      batches.push(batch);
    }
    return batches;
  }

  /** Opens the reply, and streams up to one with entries. False: there is none, or nothing that is plainly one. */
  #open(text: string): boolean {
    if (!this.#opened) {
      const streams = this.#lengthAt(text, this.#at, STAR);
      if (streams < 0) return this.#lose();
      this.#opened = true;
      this.#streamsLeft = streams;
      this.#pass(streams - 1);
    }
    while (this.#entriesLeft === 0 && this.#streamsLeft > 0) {
      if (!this.#openStream(text)) return this.#lose();
    }
    return this.#entriesLeft > 0;
  }

  #openStream(text: string): boolean {
    const head = this.base + this.#at;
    if (this.#lengthAt(text, this.#at, STAR) !== 2) return false;
    const keyLength = this.#lengthAt(text, this.#headerEnd, DOLLAR);
    const keyStart = this.#headerEnd;
    const keyEnd = keyStart + keyLength;
    if (keyLength < 0 || !isLineEnd(text, keyEnd)) return false;
    const entries = this.#lengthAt(text, keyEnd + 2, STAR);
    if (entries < 0) return false;
    this.#closeStream(head);
    const start = this.base + keyEnd + 2;
    this.#streams.push({ key: text.slice(keyStart, keyEnd), start, end: 0, first: this.#count, last: 0 });
    this.#streamsLeft -= 1;
    this.#entriesLeft = entries;
    this.#pass(entries - 1);
    return true;
  }

  #closeStream(end: number): void {
    const last = this.#streams.at(-1);
    if (last === undefined) return;
    last.end = end;
    last.last = this.#count;
  }

  /** Moves behind the header that was read last; so many elements more are outstanding there. */
  #pass(more: number): void {
    this.#at = this.#headerEnd;
    this.outstanding += more;
    this.due = this.outstanding;
  }

  #lose(): false {
    this.due = LOST;
    return false;
  }

  /** The number of a header line of `type`, or -1 when it is not plainly there; sets `#headerEnd`. */
  #lengthAt(text: string, from: number, type: number): number {
    if (from >= text.length || text.charCodeAt(from) !== type) return -1;
    const digits = digitsEnd(text, from + 1);
    if (digits < 0) return -1;
    this.#headerEnd = digits + 2;
    return numberBetween(text, from + 1, digits);
  }

  /** Takes an entry with an id and a list of strings. False: it is not plainly there. */
  #takeEntry(text: string): boolean {
    const start = this.#at;
    if (this.#lengthAt(text, start, STAR) !== 2) return false;
    const idLength = this.#lengthAt(text, this.#headerEnd, DOLLAR);
    const idStart = this.#headerEnd;
    const idEnd = idStart + idLength;
    if (idLength < 0 || !isLineEnd(text, idEnd)) return false;
    const fields = this.#lengthAt(text, idEnd + 2, STAR);
    if (fields < 0) return false;
    const end = stringsEnd(text, this.#headerEnd, fields);
    if (end < 0) return false;
    this.#mark(start, idStart, idEnd);
    this.#at = end;
    return true;
  }

  /** Notes an entry; without an id it is looked up in the end. */
  #mark(start: number, idStart: number, idEnd: number): void {
    const at = this.#count * NUMBERS;
    if (at >= this.#positions.length) {
      const larger = new Int32Array(this.#positions.length * GROWTH);
      larger.set(this.#positions);
      this.#positions = larger;
    }
    this.#positions[at] = this.base + start;
    this.#positions[at + 1] = this.base + idStart;
    this.#positions[at + 2] = this.base + idEnd;
    this.#count += 1;
  }

  #batchOf(text: string, { key, start, end, first, last }: MarkedStream): StreamBatch | null {
    const count = last - first;
    const positions = this.#positions;
    const ids = new Array<string>(count);
    const starts = new Int32Array(count);
    for (let i = 0; i < count; i++) {
      const at = (first + i) * NUMBERS;
      const entry = positions[at] as number;
      const idStart = positions[at + 1] as number;
      const id = idStart === entry ? this.#idOf(text, entry) : text.slice(idStart, positions[at + 2]);
      if (id === null) return null;
      ids[i] = id;
      starts[i] = entry - start;
    }
    return { key, text: text.slice(start, end), ids, starts, missing: [] };
  }

  /** The id of an entry that a chunk had cut off; null when it has no fields. */
  #idOf(text: string, entry: number): string | null {
    if (this.#lengthAt(text, entry, STAR) !== 2) return null;
    const idLength = this.#lengthAt(text, this.#headerEnd, DOLLAR);
    const idStart = this.#headerEnd;
    const idEnd = idStart + idLength;
    return idLength < 0 || this.#lengthAt(text, idEnd + 2, STAR) < 0 ? null : text.slice(idStart, idEnd);
  }
}
