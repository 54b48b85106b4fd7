import { PlatformError } from '#functions';
import type { SchedulerErrorCode } from '../errors.ts';
import { partitionsOf, pieceName } from './execution-plan.ts';
import { type ExecutionRecord, type ExecutionStore, type StageRef, stageName } from './execution-store.ts';
import type { ResultsPage } from './executions.ts';
import { joinPieces, pieceBody, pieceCount, readPieces } from './pieces.ts';
import { errorsOf, PIECES_PER_PAGE, type ResultParts, wrongCursor } from './read-results.ts';

export interface FollowParts extends ResultParts {
  readonly store: Pick<ExecutionStore, 'handOut'>;
}

/** How far a reader is. */
interface Place {
  /** Which shard's turn it is, by position among those of the last stage. */
  readonly turn: number;
  /** Pieces read of each. */
  readonly read: readonly number[];
}

/**
 * What has come of a run since `cursor`, shard by shard in turn; the page is empty when nothing has. A piece of an attempt that
 * runs is given after the record says that it was: from then on no other attempt counts, so nothing is given twice. Errors
 * come with the last page.
 */
export async function followResults(parts: FollowParts, record: ExecutionRecord, cursor: string): Promise<ResultsPage> {
  const { plan, status } = record;
  const last = plan.stages.at(-1);
  const partitions = last === undefined ? [] : partitionsOf(plan, last);
  const place = placeOf(cursor, partitions.length);
  const read = [...place.read];
  const pieces: string[] = [];
  let { turn } = place;
  for (let left = partitions.length; left > 0 && pieces.length < PIECES_PER_PAGE; left -= 1) {
    const ref = { stage: last?.index ?? 0, partition: partitions[turn] ?? 0 };
    const window = { from: read[turn] ?? 0, most: PIECES_PER_PAGE - pieces.length };
    const found = await nextPieces(parts, record, { ref, ...window });
    pieces.push(...found);
    read[turn] = window.from + found.length;
    turn = (turn + 1) % partitions.length;
  }
  const isOver = status === 'done' || status === 'aborted';
  const isRead = partitions.every((partition, at) => {
    const end = record.ends.get(stageName({ stage: last?.index ?? 0, partition }));
    return (read[at] ?? 0) >= (end?.pieces[0]?.[1] ?? 0);
  });
  const results = joinPieces(pieces);
  if (isOver && isRead) return { cursor: '0', results, errors: errorsOf(record) };
  return { cursor: `${turn}:${read.join('.')}`, results, errors: [] };
}

interface Window {
  readonly ref: StageRef;
  readonly from: number;
  readonly most: number;
}

/** The next pieces of one shard that may be handed out. */
async function nextPieces(parts: FollowParts, record: ExecutionRecord, { ref, from, most }: Window) {
  const { plan, ends, handedOut, attempts } = record;
  const name = stageName(ref);
  const end = ends.get(name);
  const attempt = end?.attempt ?? handedOut.get(name)?.attempt ?? attempts.get(name) ?? 0;
  const to = Math.min(from + most, end === undefined ? Number.POSITIVE_INFINITY : (end.pieces[0]?.[1] ?? 0));
  if (attempt === 0 || to <= from) return [];
  const tag = plan.partitions[ref.partition]?.tag ?? '';
  const key = parts.keys.pieces(tag, pieceName(plan.id, { ...ref, attempt }, 0));
  const pieces = await readPieces(parts.access.client, key, { from, to });
  if (end !== undefined) {
    if (pieces.length < to - from) throw gone(plan.id);
    return pieces;
  }
  if (pieces.length === 0) return [];
  const sizes = pieces.map((piece) => ({ records: pieceCount(piece), bytes: pieceBody(piece).length }));
  // Refused: it has ended or begun again since the record was read, and the next call sees that.
  return (await parts.store.handOut(plan.id, ref, { attempt, from, pieces: sizes })) ? pieces : [];
}

/** `0`, or `<turn>:<pieces read of each shard, with dots between>`. */
function placeOf(cursor: string, count: number): Place {
  if (cursor === '0') return { turn: 0, read: Array.from({ length: count }, () => 0) };
  const [, turn = '', read = ''] = /^(\d{1,6}):(\d{1,9}(?:\.\d{1,9})*)$/.exec(cursor) ?? [];
  const place = { turn: Number(turn), read: read.split('.').map(Number) };
  if (turn === '' || place.turn >= count || place.read.length !== count) throw wrongCursor(cursor);
  return place;
}

/** Missing ones would pass for none. */
function gone(id: string): PlatformError<SchedulerErrorCode> {
  return new PlatformError(
    'EXECUTION_ABORTED',
    `results of execution ${id} are gone: they were kept for the time of setting execution-keep, or somebody deleted them`,
  );
}
