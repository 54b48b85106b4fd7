import { argumentError } from './arguments.ts';
import { describeError, showValue } from './describe.ts';
import { flatErrorOf, guestError, isFlat } from './errors.ts';
import type { Executor } from './execute.ts';
import { reasonOf } from './gears-future.ts';
import type { Parser } from './parse.ts';
import {
  charCodeAt,
  defineProperty,
  floor,
  NativeError,
  NativeWeakMap,
  promiseThen,
  weakGet,
  weakSet,
} from './primordials.ts';
import { createRecordReader } from './record-reader.ts';
import { createRecordWriter } from './record-writer.ts';
import type { Sessions } from './session.ts';
import { bytesToArray } from './text.ts';

export interface FuturesOptions {
  readonly executor: Pick<Executor, 'ownerOf' | 'encodeFor'>;
  readonly sessions: Pick<Sessions, 'ask'>;
  readonly outputBytes: number;
  /** From 0, below 1. */
  readonly random: () => number;
}

/** What a completed future came to, as it travels. */
interface Outcome {
  readonly failed: boolean;
  /** Of a failed one its error: name (empty for flat ones) and message. */
  readonly value: unknown;
}

const DIGITS = 'abcdefghijklmnopqrstuvwxyz0123456789';
const ID_LENGTH = 26;
const LONGEST_ID = 64;
const ids = new NativeWeakMap<object, string>();

function isId(text: string): boolean {
  if (text.length === 0 || text.length > LONGEST_ID) return false;
  for (let i = 0; i < text.length; i++) {
    const code = charCodeAt(text, i);
    if (!((code >= 48 && code <= 57) || (code >= 97 && code <= 122))) return false;
  }
  return true;
}

/** The id of a future, or of the text that it was handed around as. */
function idOf(call: string, future: unknown): string {
  if (typeof future === 'string' && isId(future)) return future;
  const id = typeof future === 'object' && future !== null ? weakGet(ids, future) : undefined;
  if (id !== undefined) return id as string;
  throw argumentError(`${call}: the first argument must be a future or its text, not ${showValue(future)}.`);
}

function errorOf({ name, message }: { readonly name: string; readonly message: string }): Error {
  if (name === '') return flatErrorOf(message);
  const error = new NativeError(message);
  defineProperty(error, 'name', { __proto__: null, value: name, configurable: true, writable: true } as never);
  return error;
}

function errorValue(reason: unknown): unknown {
  const error = reasonOf(reason);
  if (typeof error === 'object' && error !== null && isFlat(error)) {
    return { name: '', message: describeError(error).message };
  }
  const { name, message } = describeError(error);
  return { name, message };
}

/**
 * `createFuture` and what completes one. A future is an id; waiting for it and completing it go through the node, so they may
 * happen in different isolates and on different nodes, and whoever waits goes on in a turn of its own.
 */
export function createFutures({
  executor,
  sessions,
  outputBytes,
  random,
}: FuturesOptions): Readonly<Record<string, unknown>> {
  const writer = createRecordWriter();
  const reader = createRecordReader();

  const readOutcome = (parser: Parser): Outcome => {
    const pair = reader.read(parser.bytes() ?? '').value as readonly [boolean, unknown];
    return { failed: pair[0], value: pair[1] };
  };

  const wait = (id: string): Promise<unknown> => {
    const entry = executor.ownerOf('await of a future');
    const asked = sessions.ask(entry, executor.encodeFor(entry, ['WAIT', id], 'await of a future'), readOutcome);
    return promiseThen(asked, (outcome) => {
      const { failed, value } = outcome as Outcome;
      if (failed) throw errorOf(value as { name: string; message: string });
      return value;
    });
  };

  const complete = (call: string, future: unknown, outcome: Outcome): Promise<unknown> => {
    const id = idOf(call, future);
    const entry = executor.ownerOf(call);
    const budget = { left: outputBytes, limit: outputBytes };
    const text = writer.write({ value: [outcome.failed, outcome.value], key: null }, budget);
    const asked = sessions.ask(entry, executor.encodeFor(entry, ['COMPLETE', id, bytesToArray(text)], call));
    return promiseThen(asked, (first) => {
      if (first !== 1) throw guestError('GUEST_ERROR', 'Can not continue with the same future twice');
    });
  };

  class Future {
    constructor() {
      let id = '';
      for (let i = 0; i < ID_LENGTH; i++) id += DIGITS[floor(random() * DIGITS.length)];
      weakSet(ids, this, id);
    }

    toString(): string {
      return idOf('toString', this);
    }

    toJSON(): string {
      return idOf('toJSON', this);
    }
  }

  // Awaiting a future, each time, is waiting in the turn of the one who does.
  defineProperty(Future.prototype, 'then', {
    __proto__: null,
    configurable: true,
    value(this: object, onDone: never, onFailed: never): Promise<unknown> {
      return promiseThen(wait(idOf('then', this)), onDone, onFailed);
    },
  } as never);

  return {
    createFuture: (): unknown => new Future(),
    setFutureResults: (future: unknown, value: unknown): Promise<unknown> =>
      complete('setFutureResults', future, { failed: false, value }),
    setFutureException: (future: unknown, error: unknown): Promise<unknown> =>
      complete('setFutureException', future, { failed: true, value: errorValue(error) }),
  };
}
