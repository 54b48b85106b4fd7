import { PlatformError } from '#functions';
import type { StageOutput, StageRun } from '#runtime';
import type { ErrorList } from './error-list.ts';
import type { Pace } from './pace.ts';
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
  /** Told how long pieces take, and asked how much is pulled; null: as much as is best for the whole. */
  readonly pace: Pace | null;
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
  const takeNext = createTaker(drive);
  const underWay: Promise<boolean>[] = [];
  let readMs = 0;
  let enough = false;
  try {
    while (!enough) {
      const begin = performance.now();
      const next = await nextPiece(source, drive);
      readMs += performance.now() - begin;
      if (next === null) break;
      signal.throwIfAborted();
      onRead(next.count);
      underWay.push(takeNext(stage.feed(next.payload, next.count), next.count));
      if (underWay.length >= IN_FLIGHT) enough = await (underWay.shift() as Promise<boolean>);
    }
    await Promise.all(underWay);
  } finally {
    // Nothing goes to the sink after this.
    await Promise.allSettled(underWay);
  }
  return readMs;
}

/** Takes outputs in the order of their pieces, each when it is there: also while the next piece is waited for. */
function createTaker(drive: StageDrive): (fed: Promise<StageOutput>, records: number) => Promise<boolean> {
  let before: Promise<unknown> = Promise.resolve();
  return (fed, records) => {
    const fedAtMs = performance.now();
    fed.catch(() => {});
    const freeAtMs = before.then(() => Math.max(fedAtMs, performance.now()));
    const taken = freeAtMs.then(async (beginMs) => {
      const output = await fed;
      drive.pace?.took(records, performance.now() - beginMs);
      return take(drive, output);
    });
    taken.catch(() => {});
    before = taken;
    return taken;
  };
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
    const count = Math.min(PULLED_AT_ONCE, drive.pace?.size() ?? PULLED_AT_ONCE);
    const begin = performance.now();
    const output = await drive.stage.pull(count);
    drive.pace?.took(count, performance.now() - begin);
    drive.onRead(output.enough ? 0 : count);
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
