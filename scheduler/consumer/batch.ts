import type { Delivery, DeliveryOrigin } from '../delivery.ts';

/** A delivery whose entries can be told apart: entry i begins at `starts[i]` in `payload`. */
export interface ClaimedBatch extends Delivery {
  readonly starts: Int32Array;
}

interface BatchParts {
  readonly registrationId: string;
  readonly stream: string;
  readonly origin: DeliveryOrigin;
  readonly ids: readonly string[];
  readonly payload: string;
  readonly starts: Int32Array;
  readonly attempts?: readonly number[] | null;
}

export function createBatch(parts: BatchParts): ClaimedBatch {
  return { ...parts, attempts: parts.attempts ?? null };
}

/** Where entry `index` ends. */
export function endOf(batch: ClaimedBatch, index: number): number {
  return index + 1 < batch.ids.length ? (batch.starts[index + 1] as number) : batch.payload.length;
}

/** Entries `from` … `to - 1` as a batch of their own. */
export function sliceBatch(batch: ClaimedBatch, from: number, to: number): ClaimedBatch {
  if (from === 0 && to === batch.ids.length) return batch;
  const head = `*${to - from}\r\n`;
  const begin = batch.starts[from] ?? batch.payload.length;
  const end = to > from ? endOf(batch, to - 1) : begin;
  const shift = begin - head.length;
  const starts = batch.starts.slice(from, to);
  for (let i = 0; i < starts.length; i += 1) starts[i] = (starts[i] as number) - shift;
  return {
    ...batch,
    ids: batch.ids.slice(from, to),
    payload: head + batch.payload.slice(begin, end),
    starts,
    attempts: batch.attempts?.slice(from, to) ?? null,
  };
}

export function entriesOf(batches: readonly ClaimedBatch[]): number {
  return batches.reduce((sum, batch) => sum + batch.ids.length, 0);
}

/** The first so many entries and the others; null = none. */
export function cutBatch(batch: ClaimedBatch, at: number): readonly [ClaimedBatch | null, ClaimedBatch | null] {
  const { length } = batch.ids;
  return [at === 0 ? null : sliceBatch(batch, 0, at), at === length ? null : sliceBatch(batch, at, length)];
}

/** The entries at `indexes`, in that order, as a batch of their own. */
export function pickBatch(batch: ClaimedBatch, indexes: readonly number[]): ClaimedBatch {
  const count = indexes.length;
  if (isRun(indexes)) return sliceBatch(batch, indexes[0] ?? 0, (indexes[0] ?? 0) + count);
  const parts = [`*${count}\r\n`];
  const starts = new Int32Array(count);
  let at = (parts[0] as string).length;
  for (let i = 0; i < count; i += 1) {
    const index = indexes[i] as number;
    const text = batch.payload.slice(batch.starts[index], endOf(batch, index));
    starts[i] = at;
    at += text.length;
    parts.push(text);
  }
  return {
    ...batch,
    ids: indexes.map((index) => batch.ids[index] as string),
    payload: parts.join(''),
    starts,
    attempts: batch.attempts === null ? null : indexes.map((index) => batch.attempts?.[index] ?? 1),
  };
}

function isRun(indexes: readonly number[]): boolean {
  for (let i = 1; i < indexes.length; i += 1) {
    if (indexes[i] !== (indexes[0] as number) + i) return false;
  }
  return true;
}

/** Batches of one stream one behind the other; at least one. The first one's origin stands for all. */
export function joinBatches(batches: readonly ClaimedBatch[]): ClaimedBatch {
  const first = batches[0] as ClaimedBatch;
  if (batches.length === 1) return first;
  const count = batches.reduce((sum, batch) => sum + batch.ids.length, 0);
  const parts = [`*${count}\r\n`];
  const starts = new Int32Array(count);
  let at = (parts[0] as string).length;
  let next = 0;
  for (const batch of batches) {
    const begin = batch.starts[0] ?? batch.payload.length;
    for (const start of batch.starts) starts[next++] = start - begin + at;
    const text = batch.payload.slice(begin);
    at += text.length;
    parts.push(text);
  }
  const counted = batches.some((batch) => batch.attempts !== null);
  return {
    ...first,
    ids: batches.flatMap((batch) => batch.ids),
    payload: parts.join(''),
    starts,
    attempts: counted ? batches.flatMap((batch) => batch.attempts ?? batch.ids.map(() => 1)) : null,
  };
}

/** RESP array of the fields and values of one entry. */
export function fieldsOf(batch: ClaimedBatch, index: number): string {
  const text = batch.payload.slice(batch.starts[index], endOf(batch, index));
  const idEnd = text.indexOf('\r\n', text.indexOf('\r\n', text.indexOf('$')) + 2);
  return text.slice(idEnd + 2);
}

/** How often an entry has been delivered, this time included. */
export function attemptsOf(batch: ClaimedBatch, index: number): number {
  return batch.attempts?.[index] ?? 1;
}

/** The entries that are to run alone as batches of one, those between them together, in their order. */
export function apart(batch: ClaimedBatch, alone: readonly string[]): readonly ClaimedBatch[] {
  if (alone.length === 0) return [batch];
  const single = new Set(alone);
  const parts: ClaimedBatch[] = [];
  let from = 0;
  for (let i = 0; i <= batch.ids.length; i += 1) {
    const isAlone = i < batch.ids.length && single.has(batch.ids[i] as string);
    if (i < batch.ids.length && !isAlone) continue;
    if (i > from) parts.push(sliceBatch(batch, from, i));
    if (isAlone) parts.push(sliceBatch(batch, i, i + 1));
    from = i + 1;
  }
  return parts;
}
