import { PlatformError } from '#functions';
import type { StageOutput, StageRun } from '#runtime';
import type { ErrorList } from './error-list.ts';
import type { AheadReader, InputPiece } from './readers/reader.ts';
import type { StageSink } from './sinks.ts';

export interface StageDrive {
  readonly stage: StageRun;
  /** Null: the guest's generator is pulled. */
  readonly source: AheadReader | null;
  readonly sink: StageSink;
  readonly errors: ErrorList;
  /** Records read so far. */
  readonly onRead: (records: number) => void;
  readonly signal: AbortSignal;
}

/** Pieces that a sandbox has been given and not answered: it always has the next one at hand. */
const IN_FLIGHT = 2;
const PULLED_AT_ONCE = 1_000;
const DRAINED_AT_ONCE = 5_000;

/**
 * Brings all records of a source through a stage. Returns how long it waited for records, ms. Rejects for trouble of sandbox,
 * Redis or limits; what functions throw is in `errors`.
 */
export async function driveStage(drive: StageDrive): Promise<number> {
  const readMs = drive.source === null ? await pullAll(drive) : await feedAll(drive, drive.source);
  for (let over = false; !over; ) {
    drive.signal.throwIfAborted();
    over = await takeRest(drive);
  }
  return readMs;
}

async function feedAll(drive: StageDrive, source: AheadReader): Promise<number> {
  const { stage, onRead, signal } = drive;
  const underWay: Promise<StageOutput>[] = [];
  let readMs = 0;
  let enough = false;
  while (!enough) {
    const begin = performance.now();
    const next = await nextPiece(source, drive);
    readMs += performance.now() - begin;
    if (next === null) break;
    signal.throwIfAborted();
    onRead(next.count);
    const fed = stage.feed(next.payload, next.count);
    fed.catch(() => {});
    underWay.push(fed);
    if (underWay.length >= IN_FLIGHT) enough = await take(drive, await (underWay.shift() as Promise<StageOutput>));
  }
  for (const fed of underWay) await take(drive, await fed);
  return readMs;
}

/** A reader that Redis refuses (wrong type of key, bad id) ends the reading with an error of the execution. */
async function nextPiece(source: AheadReader, { errors }: StageDrive): Promise<InputPiece | null> {
  try {
    return await source.next();
  } catch (error) {
    if (!(error instanceof PlatformError) || error.code !== 'REDIS_REPLY') throw error;
    errors.addText(error.message);
    return null;
  }
}

async function pullAll(drive: StageDrive): Promise<number> {
  let enough = false;
  while (!enough) {
    drive.signal.throwIfAborted();
    const output = await drive.stage.pull(PULLED_AT_ONCE);
    drive.onRead(output.enough ? 0 : PULLED_AT_ONCE);
    enough = await take(drive, output);
  }
  return 0;
}

/** What accumulators hold, part by part where the sandbox can; true after the last part. */
async function takeRest(drive: StageDrive): Promise<boolean> {
  const { stage } = drive;
  if (stage.drain !== undefined) return take(drive, await stage.drain(DRAINED_AT_ONCE));
  await take(drive, await stage.finish());
  return true;
}

async function take({ errors, sink }: StageDrive, output: StageOutput): Promise<boolean> {
  for (const error of output.errors) errors.add(error);
  await sink.push(output);
  return output.enough;
}
