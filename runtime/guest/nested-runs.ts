import type { Entry } from './batch.ts';
import { guestError } from './errors.ts';
import type { Executor } from './execute.ts';
import type { Parser } from './parse.ts';
import {
  bareList,
  floor,
  mapDelete,
  mapForEach,
  mapGet,
  mapSet,
  mapSize,
  NativeMap,
  nativeRandom,
  ordinaryList,
  promiseThen,
} from './primordials.ts';
import { createRecordReader, type RecordReader } from './record-reader.ts';
import type { Run } from './run-arguments.ts';
import { runJson } from './run-json.ts';
import type { ReadReply, Sessions } from './session.ts';
import { Verbatim } from './stringify.ts';
import { valueOfBytes } from './text.ts';

/** Runs that handlers have started and wait for. */
export interface NestedRuns {
  /** Asks the node to run it; resolves with `[results, errors]`. */
  start(run: Run): Promise<unknown>;
  /** Undefined for a number that names none. */
  at(index: number): Run | undefined;
}

export interface NestedRunsOptions {
  readonly executor: Pick<Executor, 'ownerOf' | 'encodeFor'>;
  readonly sessions: Pick<Sessions, 'ask'>;
}

interface Started {
  readonly run: Run;
  readonly entry: Entry;
}

/** So many runs are kept before those of ended entries are looked for. */
const SWEEP_AT = 64;
/** Numbers begin somewhere below, so that those of an isolate that was lost name nothing in the next one. */
const FIRST_NUMBERS = 1_000_000_000;

function readList(parser: Parser, read: (bytes: string) => unknown): unknown[] {
  const count = parser.arrayLength();
  const list = bareList<unknown>();
  for (let i = 0; i < count; i++) list[i] = read(parser.bytes() ?? '');
  return ordinaryList(list);
}

/** Reads `[[record, …], [error, …]]`. */
function resultsReader(reader: RecordReader): ReadReply {
  const readRecord = (bytes: string): unknown => {
    const { value } = reader.read(bytes);
    return value instanceof Verbatim ? valueOfBytes(value.bytes) : value;
  };
  return (parser) => {
    parser.arrayLength();
    const results = readList(parser, readRecord);
    return [results, readList(parser, valueOfBytes)];
  };
}

export function createNestedRuns({ executor, sessions }: NestedRunsOptions): NestedRuns {
  const started = new NativeMap<number, Started>();
  const readResults = resultsReader(createRecordReader());
  let lastNumber = floor(nativeRandom() * FIRST_NUMBERS);
  let sweepAt = SWEEP_AT;

  /** What nobody waits for any more is never answered. */
  function sweep(): void {
    if (mapSize(started) < sweepAt) return;
    mapForEach(started, ({ entry }, number) => {
      if (entry.ended) mapDelete(started, number);
    });
    const left = 2 * mapSize(started);
    sweepAt = left > SWEEP_AT ? left : SWEEP_AT;
  }

  return {
    start(run) {
      const entry = executor.ownerOf('run');
      sweep();
      const number = ++lastNumber;
      const command = executor.encodeFor(entry, ['RUN', runJson(run, number)], 'run');
      mapSet(started, number, { run, entry });
      return promiseThen(
        sessions.ask(entry, command, readResults),
        (results) => {
          mapDelete(started, number);
          return results;
        },
        (error) => {
          mapDelete(started, number);
          throw error;
        },
      );
    },
    at: (index) => mapGet(started, index)?.run,
  };
}

/** Text for a number that names no run. */
export function noSuchRun(index: number): Error {
  return guestError('GUEST_ERROR', `The script has no run ${index}: it does something else each time it is evaluated.`);
}
