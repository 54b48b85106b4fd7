import { encodeBulk, PlatformError, type RedisAccess } from '#functions';
import type { SchedulerErrorCode } from '../errors.ts';
import type { SchedulerKeys } from '../keys.ts';
import { type ExecutionPlan, partitionsOf, pieceName } from './execution-plan.ts';
import type { ExecutionRecord, StageRef } from './execution-store.ts';
import { stageName } from './execution-store.ts';
import { pieceCount, readPieces } from './pieces.ts';
import { readKeyNames, readKeys } from './readers/keys-reader.ts';
import type { LinkPool } from './readers/links.ts';
import type { InputPiece } from './readers/reader.ts';
import { cursorsTellPart } from './readers/scan-part.ts';
import { readStream } from './readers/stream-reader.ts';

export interface SourceParts {
  readonly access: RedisAccess;
  readonly keys: SchedulerKeys;
  readonly links: LinkPool;
}

export interface SourceRequest {
  readonly plan: ExecutionPlan;
  readonly ref: StageRef;
  /** Ends of the stages before; needed from the second stage on. */
  readonly ends: ExecutionRecord['ends'];
  readonly signal: AbortSignal;
  /** Told while keys are scanned: how many of the shard's have been looked at, 0 to 1. */
  readonly onPart?: (part: number) => void;
  /** Most records of the next piece; left out: as many as readers like. Pieces of an earlier stage stay as they are. */
  readonly pieceSize?: () => number;
}

export type StageInput = 'keys' | 'names' | 'stream' | 'records' | 'generator';

const INPUT = {
  KeysReader: 'keys',
  KeysOnlyReader: 'names',
  ShardsIDReader: 'names',
  StreamReader: 'stream',
  GeneratorReader: 'generator',
} as const;

export function inputOf(plan: ExecutionPlan, stage: number): StageInput {
  return stage === 0 ? INPUT[plan.run.reader] : 'records';
}

/** The records that come into a stage on one shard. */
export async function* openSource(parts: SourceParts, request: SourceRequest): AsyncGenerator<InputPiece> {
  const { plan, ref, signal } = request;
  if (ref.stage > 0) {
    yield* readExchanged(parts, request);
    return;
  }
  const partition = plan.partitions[ref.partition];
  if (partition === undefined || plan.run.reader === 'GeneratorReader') return;
  if (plan.run.reader === 'ShardsIDReader') {
    const id = plan.partitions.length > 1 ? partition.shardId : '1';
    yield { payload: `*1\r\n${encodeBulk(id)}`, count: 1 };
    return;
  }
  const links = parts.links.take(parts.access.shardOf(partition.tag), signal);
  try {
    const tells = request.onPart !== undefined && cursorsTellPart(parts.access);
    const told = tells ? { onPart: request.onPart } : {};
    const paced = request.pieceSize === undefined ? {} : { pieceSize: request.pieceSize };
    const platformPrefix = parts.keys.prefix;
    yield* readers[plan.run.reader]({ links, run: plan.run, platformPrefix, ...told, ...paced });
  } finally {
    links.release();
  }
}

const readers = { KeysReader: readKeys, KeysOnlyReader: readKeyNames, StreamReader: readStream };

const PIECES_AT_ONCE = 4;

/** What the stage before made for this shard, shard after shard. */
async function* readExchanged(parts: SourceParts, { plan, ref, ends }: SourceRequest): AsyncGenerator<InputPiece> {
  const before = plan.stages[ref.stage - 1];
  if (before === undefined) return;
  const to = plan.partitions[ref.partition];
  for (const partition of partitionsOf(plan, before)) {
    const end = ends.get(stageName({ stage: before.index, partition }));
    const pieces = end?.pieces.find(([receiver]) => receiver === ref.partition)?.[1] ?? 0;
    if (end === undefined || to === undefined) continue;
    const name = pieceName(plan.id, { stage: before.index, partition, attempt: end.attempt }, ref.partition);
    const key = parts.keys.pieces(to.tag, name);
    for (let from = 0; from < pieces; from += PIECES_AT_ONCE) {
      const window = { from, to: Math.min(pieces, from + PIECES_AT_ONCE) };
      const found = await readPieces(parts.access.client, key, window);
      if (found.length < window.to - window.from) throw lost(plan.id, key);
      for (const payload of found) yield { payload, count: pieceCount(payload) };
    }
  }
}

/** Records that were evicted or deleted would be missing in silence. */
function lost(id: string, key: string): PlatformError<SchedulerErrorCode> {
  return new PlatformError(
    'EXECUTION_ABORTED',
    `records of execution ${id} are gone from ${key}: somebody deleted them`,
  );
}
