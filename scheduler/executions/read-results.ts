import { PlatformError, type RedisAccess } from '#functions';
import type { SchedulerErrorCode } from '../errors.ts';
import type { SchedulerKeys } from '../keys.ts';
import { partitionsOf, pieceName } from './execution-plan.ts';
import { type ExecutionRecord, stageName } from './execution-store.ts';
import type { ExecutionResults, ResultsPage } from './executions.ts';
import { joinPieces, readPieces } from './pieces.ts';

export interface ResultParts {
  readonly access: Pick<RedisAccess, 'client'>;
  readonly keys: Pick<SchedulerKeys, 'pieces'>;
}

interface ResultList {
  readonly key: string;
  readonly pieces: number;
  readonly bytes: number;
}

export const PIECES_PER_PAGE = 4;

/** Lists that hold the results of an ended execution, shard after shard. */
function resultLists({ keys }: ResultParts, { plan, ends }: ExecutionRecord): readonly ResultList[] {
  const last = plan.stages.at(-1);
  if (last === undefined) return [];
  return partitionsOf(plan, last).flatMap((partition) => {
    const end = ends.get(stageName({ stage: last.index, partition }));
    const pieces = end?.pieces[0]?.[1] ?? 0;
    if (end === undefined || pieces === 0) return [];
    const name = pieceName(plan.id, { stage: last.index, partition, attempt: end.attempt }, 0);
    return [{ key: keys.pieces(plan.partitions[partition]?.tag ?? '', name), pieces, bytes: end.bytes }];
  });
}

/** Errors of all stages in their order, and why the execution was ended from outside. */
export function errorsOf({ ends, error }: Pick<ExecutionRecord, 'ends' | 'error'>): readonly string[] {
  const inOrder = [...ends].sort(([a], [b]) => a.localeCompare(b, 'en', { numeric: true }));
  return [...inOrder.flatMap(([, end]) => end.errors), ...(error === null ? [] : [error])];
}

/** All results in one text. Errors: RESULTS_TOO_LARGE. */
export async function readAllResults(
  parts: ResultParts,
  record: ExecutionRecord,
  limitBytes: number,
): Promise<ExecutionResults> {
  const lists = resultLists(parts, record);
  const bytes = lists.reduce((sum, list) => sum + list.bytes, 0);
  if (bytes > limitBytes) {
    throw new PlatformError<SchedulerErrorCode>(
      'RESULTS_TOO_LARGE',
      `the results have ${bytes} bytes, one reply may have ${limitBytes} (setting execution-results); read them in pages with RG.GETRESULTS ${record.plan.id} CURSOR 0`,
      { details: { bytes, limitBytes } },
    );
  }
  const pieces: string[] = [];
  for (const { key, pieces: count } of lists) {
    for (let from = 0; from < count; from += PIECES_PER_PAGE) {
      pieces.push(
        ...(await readPieces(parts.access.client, key, { from, to: Math.min(count, from + PIECES_PER_PAGE) })),
      );
    }
  }
  return { results: joinPieces(pieces), errors: errorsOf(record) };
}

/** One page. Errors come with the last one. */
export async function readResultPage(
  parts: ResultParts,
  record: ExecutionRecord,
  cursor: string,
): Promise<ResultsPage> {
  const lists = resultLists(parts, record);
  const [at, from] = placeOf(cursor);
  const list = lists[at];
  if (list === undefined) return { cursor: '0', results: '*0\r\n', errors: errorsOf(record) };
  const to = Math.min(list.pieces, from + PIECES_PER_PAGE);
  const results = joinPieces(await readPieces(parts.access.client, list.key, { from, to }));
  if (to < list.pieces) return { cursor: `${at}-${to}`, results, errors: [] };
  if (at + 1 < lists.length) return { cursor: `${at + 1}-0`, results, errors: [] };
  return { cursor: '0', results, errors: errorsOf(record) };
}

function placeOf(cursor: string): readonly [number, number] {
  if (cursor === '0') return [0, 0];
  const match = /^(\d{1,6})-(\d{1,9})$/.exec(cursor);
  if (match !== null) return [Number(match[1]), Number(match[2])];
  throw wrongCursor(cursor);
}

export function wrongCursor(cursor: string): PlatformError {
  return new PlatformError(
    'ARGUMENT_INVALID',
    `CURSOR is "${cursor.slice(0, 100)}"; begin with 0 and go on with what the reply says`,
  );
}
