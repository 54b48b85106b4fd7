import { type ClaimedBatch, endOf, pickBatch } from './batch.ts';
import type { EventFilter } from './event-filter.ts';

/** A batch as a filter parts it. */
export interface Screened {
  /** Null: nothing of it passed. */
  readonly passed: ClaimedBatch | null;
  /** Ids of what did not. */
  readonly refused: readonly string[];
}

/** Compares each entry with the filter, on its text. */
export function screenBatch(filter: EventFilter, batch: ClaimedBatch): Screened {
  const passed: number[] = [];
  const refused: string[] = [];
  const values = new Array<string | undefined>(filter.fields.length);
  for (let i = 0; i < batch.ids.length; i += 1) {
    values.fill(undefined);
    const start = batch.starts[i] as number;
    const entry = batch.payload.slice(start, endOf(batch, i));
    readFields(filter.fields, entry, values);
    if (filter.accepts(values)) passed.push(i);
    else refused.push(batch.ids[i] as string);
  }
  if (refused.length === 0) return { passed: batch, refused };
  return { passed: passed.length === 0 ? null : pickBatch(batch, passed), refused };
}

/** Fills `values` with what the entry has under `names`; of a name that stands there twice the last one counts, as in records. */
function readFields(names: readonly string[], entry: string, values: (string | undefined)[]): void {
  // `*2`, the id, `*n`: then names and values in turn.
  const id = behindLine(entry, 0);
  let at = behindLine(entry, behindLine(entry, id) + lengthAt(entry, id) + 2);
  while (at < entry.length) {
    const nameStart = behindLine(entry, at);
    const nameEnd = nameStart + lengthAt(entry, at);
    const valueStart = behindLine(entry, nameEnd + 2);
    const valueEnd = valueStart + lengthAt(entry, nameEnd + 2);
    for (let i = 0; i < names.length; i += 1) {
      const name = names[i] as string;
      if (name.length !== nameEnd - nameStart || !entry.startsWith(name, nameStart)) continue;
      values[i] = entry.slice(valueStart, valueEnd);
    }
    at = valueEnd + 2;
  }
}

const CR = 13;
const ZERO = 48;

/** Entries are whole and framed: what stands here are lines and strings. */
function behindLine(text: string, from: number): number {
  let at = from;
  while (text.charCodeAt(at) !== CR) at += 1;
  return at + 2;
}

function lengthAt(text: string, from: number): number {
  let length = 0;
  for (let at = from + 1; text.charCodeAt(at) !== CR; at += 1) length = length * 10 + text.charCodeAt(at) - ZERO;
  return length;
}
