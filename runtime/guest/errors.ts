import {
  defineProperty,
  NativeError,
  NativeRangeError,
  NativeTypeError,
  NativeWeakMap,
  weakGet,
  weakSet,
} from './primordials.ts';

/** Codes of the errors that the guest runtime itself throws into user code. */
export type GuestCode =
  | 'GUEST_ARGUMENT'
  | 'GUEST_ERROR'
  | 'LIMIT_COMMANDS'
  | 'LIMIT_WAITS'
  | 'LIMIT_OUTPUT'
  | 'COMMAND_FORBIDDEN'
  | 'CROSS_SLOT'
  | 'ATOMIC_REFUSED'
  | 'RESULTS_TOO_LARGE'
  | 'EXECUTION_ABORTED'
  | 'REDIS_REPLY';

const KINDS = { error: NativeError, type: NativeTypeError, range: NativeRangeError } as const;

declare global {
  interface ErrorConstructor {
    stackTraceLimit: number;
  }
}

/** Kept here and not on the error: a property could be forged by user code. */
const codes = new NativeWeakMap<object, GuestCode>();

/**
 * Deep enough for the author's frames behind the runtime's own, which stand first in the stack of an error reply.
 */
NativeError.stackTraceLimit = 30;

/** The latest complaint about a builder call: how the sandbox process tells it from errors of the source itself. */
const complaint = { message: '' };

/** True when this message is the latest complaint of the builder. */
export function isComplaint(message: string): boolean {
  return complaint.message !== '' && complaint.message === message;
}

/** An error of the runtime; `code` is also an own property of it, for user code to look at. */
export function guestError(code: GuestCode, message: string, kind: keyof typeof KINDS = 'error'): Error {
  const error = new KINDS[kind](message);
  if (code === 'GUEST_ARGUMENT') complaint.message = message;
  weakSet(codes, error, code);
  defineProperty(error, 'code', { __proto__: null, value: code, configurable: true, writable: true } as never);
  return error;
}

/** Errors whose message is all there is to say: no name, no stack. */
const flat = new NativeWeakMap<object, true>();

/** An error that is recorded as this text and nothing else. */
export function flatErrorOf(text: string): Error {
  const error = new NativeError(text);
  weakSet(flat, error, true);
  return error;
}

export function isFlat(error: object): boolean {
  return weakGet(flat, error) === true;
}

/** The code of an error that `guestError` made, else undefined. */
export function codeOf(error: object): GuestCode | undefined {
  return weakGet(codes, error) as GuestCode | undefined;
}
