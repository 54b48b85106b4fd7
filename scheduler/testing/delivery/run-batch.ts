import { encodeBulk, encodeCommand, latin1FromUtf8, PlatformError, type RedisAccess, type RunSpec } from '#functions';
import type { StageOutput, StageRequest, StageRun } from '#runtime';
import { readKeyNames, readKeys } from '../../executions/readers/keys-reader.ts';
import { createLinkPool } from '../../executions/readers/links.ts';
import type { InputPiece } from '../../executions/readers/reader.ts';
import { readStream } from '../../executions/readers/stream-reader.ts';
import type { Fields, KeyState, RunRecord } from '../events.ts';
import { PLATFORM_PREFIX } from '../redis/test-redis.ts';
import { latin1Of, type Reply, replyOf } from '../values.ts';
import type { DeliveryError } from './delivery.ts';
import { keyTypeOf, keyValueOf } from './payload.ts';
import type { Stand } from './run-event.ts';

/** What came of a batch run. */
export interface RunOutcome {
  readonly results: readonly Reply[];
  readonly errors: readonly DeliveryError[];
}

type Input = StageRequest['input'];

const INPUT: Readonly<Record<RunSpec['reader'], Input>> = {
  KeysReader: 'keys',
  KeysOnlyReader: 'names',
  ShardsIDReader: 'names',
  StreamReader: 'stream',
  GeneratorReader: 'generator',
};
const AT_ONCE = 1_000;

/**
 * Runs a plan over given records, or over what is in Redis, as on one shard: in one stage, piece by piece. What functions throw
 * is in the errors, and so is a limit that ends the run; a killed sandbox ends it without any.
 */
export async function runBatch(stand: Stand, run: RunSpec, records: readonly RunRecord[] | null): Promise<RunOutcome> {
  const results: Reply[] = [];
  const errors: DeliveryError[] = [];
  const take = (output: StageOutput): boolean => {
    results.push(...output.records.map(replyOf));
    errors.push(...output.errors.map((error) => ({ ...error, record: -1 })));
    return output.enough;
  };
  try {
    await using stage = await stand.runtime.openStage(requestOf(stand, run));
    await feed(stand, { stage, run, records, take });
    while (!take(await drain(stage)));
    await stand.witness.acknowledge();
  } catch (reason) {
    const { code, message } = PlatformError.from(reason, 'GUEST_ERROR');
    // What the test itself has got wrong is no outcome.
    if (code === 'ARGUMENT_INVALID') throw reason;
    if (!stand.witness.crashed) errors.push({ code, message, name: 'PlatformError', stack: '', record: -1 });
  }
  return { results, errors };
}

interface Feeding {
  readonly stage: StageRun;
  readonly run: RunSpec;
  readonly records: readonly RunRecord[] | null;
  /** True: no more is wanted. */
  readonly take: (output: StageOutput) => boolean;
}

/** One piece after the other, so that every command is known to be of one of its records. */
async function feed(stand: Stand, { stage, run, records, take }: Feeding): Promise<void> {
  if (INPUT[run.reader] === 'generator') {
    while (!take(await stage.pull(AT_ONCE)));
    return;
  }
  let fed = 0;
  for await (const { payload, count } of piecesOf(stand, run, records)) {
    stand.witness.records(Array.from({ length: count }, (_, at) => fed + at));
    fed += count;
    if (take(await stage.feed(payload, count))) return;
  }
}

async function drain(stage: StageRun): Promise<StageOutput> {
  if (stage.drain !== undefined) return await stage.drain(AT_ONCE);
  return { ...(await stage.finish()), enough: true };
}

function requestOf({ target, world, signal }: Stand, run: RunSpec): StageRequest {
  return {
    target,
    runIndex: run.index,
    executionId: 'test',
    firstStep: 0,
    endStep: run.steps.length,
    input: INPUT[run.reader],
    key: run.reader === 'StreamReader' ? latin1FromUtf8(run.arg) : '',
    hashtag: world.tagOf(''),
    output: 'results',
    profile: false,
    signal,
  };
}

async function* piecesOf(stand: Stand, run: RunSpec, records: readonly RunRecord[] | null): AsyncGenerator<InputPiece> {
  if (records !== null) {
    for (let from = 0; from < records.length; from += AT_ONCE) {
      const part = records.slice(from, from + AT_ONCE);
      const texts = part.map((record, at) => recordText(run, record, from + at + 1));
      yield { payload: `*${part.length}\r\n${texts.join('')}`, count: part.length };
    }
    return;
  }
  if (run.reader === 'ShardsIDReader') {
    yield { payload: `*1\r\n${encodeBulk('1')}`, count: 1 };
    return;
  }
  yield* readFrom(serverOf(stand), run, stand.signal);
}

function serverOf({ world, target }: Stand): RedisAccess {
  const { access } = world;
  if (access !== null && access.facts.topology !== 'cluster') return access;
  const why = access === null ? 'there is no Redis to read from' : 'the kit reads from one server, not from a cluster';
  throw new PlatformError(
    'ARGUMENT_INVALID',
    `the run of ${target.functionName} needs records: ${why}; give them to batchRun(…)`,
  );
}

const READERS = { KeysReader: readKeys, KeysOnlyReader: readKeyNames, StreamReader: readStream };

async function* readFrom(access: RedisAccess, run: RunSpec, signal: AbortSignal): AsyncGenerator<InputPiece> {
  await using pool = createLinkPool(access);
  const links = pool.take(access.shardOf(''), signal);
  try {
    yield* READERS[run.reader as keyof typeof READERS]({ links, run, platformPrefix: PLATFORM_PREFIX });
  } finally {
    links.release();
  }
}

function recordText(run: RunSpec, record: RunRecord, number: number): string {
  const isText = typeof record === 'string';
  switch (run.reader) {
    case 'StreamReader':
      if (isText) throw unfit(run, 'objects of fields');
      return `*2\r\n${encodeBulk(`1-${number}`)}${encodeCommand(
        Object.entries(record as Fields)
          .flat()
          .map(latin1Of),
      )}`;
    case 'KeysReader': {
      const state: KeyState = isText ? { key: record } : (record as KeyState);
      if (typeof state.key !== 'string') throw unfit(run, '{ key, type, value }');
      const key = encodeBulk(latin1FromUtf8(state.key));
      return run.readValue ? `*3\r\n${key}${encodeBulk(keyTypeOf(state))}${keyValueOf(state)}` : `*1\r\n${key}`;
    }
    default:
      if (!isText) throw unfit(run, 'texts');
      return encodeBulk(latin1FromUtf8(record));
  }
}

function unfit({ reader }: RunSpec, wanted: string): PlatformError {
  return new PlatformError('ARGUMENT_INVALID', `records of a run of ${reader} are ${wanted}`);
}
