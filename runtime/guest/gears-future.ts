import { flatErrorOf, guestError } from './errors.ts';
import type { Executor } from './execute.ts';
import {
  type Deferred,
  deferred,
  defineProperty,
  NativeWeakMap,
  promiseOf,
  promiseThen,
  weakGet,
  weakHas,
  weakSet,
} from './primordials.ts';
import type { Turn } from './turn.ts';

/** What a callback returns to answer for its record later. */
export interface FutureHandle {
  continueRun(value: unknown): void;
  continueFailed(error: unknown): void;
}

interface State {
  readonly answer: Deferred;
  /** Somebody waits for it: it was returned, or awaited. */
  returned: boolean;
  over: boolean;
}

export interface GearsFutureOptions {
  readonly turn: Pick<Turn, 'entry'>;
  readonly executor: Pick<Executor, 'ownerOf'>;
}

const states = new NativeWeakMap<object, State>();

export function isFutureHandle(value: unknown): value is FutureHandle {
  return typeof value === 'object' && value !== null && weakHas(states, value);
}

/** What is thrown for a reason that was given: a text becomes an error of this text alone. */
export function reasonOf(error: unknown): unknown {
  return typeof error === 'string' ? flatErrorOf(error) : error;
}

/** `gearsFuture()`, also with `new`: the callback of a step returns it, and the record goes on when it is completed. */
export function createGearsFuture({ turn, executor }: GearsFutureOptions): () => unknown {
  /** Of the callback that is at work: made, and not returned yet. */
  let creating: State | null = null;

  function complete(handle: FutureHandle): State {
    const state = weakGet(states, handle) as State | undefined;
    if (state === undefined) throw guestError('GUEST_ERROR', 'The future must be one of gearsFuture().', 'type');
    if (!state.returned) throw guestError('GUEST_ERROR', 'Can not handle future untill it returned from the callback');
    if (state.over) throw guestError('GUEST_ERROR', 'Can not continue with the same future twice');
    state.over = true;
    return state;
  }

  class GearsFuture implements FutureHandle {
    constructor() {
      if (turn.entry === null) {
        throw guestError('GUEST_ERROR', 'Future object can only be created inside certain execution steps');
      }
      executor.ownerOf('gearsFuture');
      if (creating !== null) throw guestError('GUEST_ERROR', 'Can not create async record twice on the same step');
      const state: State = { answer: deferred(), returned: false, over: false };
      weakSet(states, this, state);
      creating = state;
      promiseThen(promiseOf(undefined), () => {
        if (creating === state) creating = null;
      });
    }

    continueRun(value: unknown): void {
      complete(this).answer.resolve(value);
    }

    continueFailed(error: unknown): void {
      complete(this).answer.reject(reasonOf(error));
    }
  }

  // Looked up by whoever is going to wait: that is how a callback is seen to return its future.
  defineProperty(GearsFuture.prototype, 'then', {
    __proto__: null,
    configurable: true,
    get(this: object): unknown {
      const state = weakGet(states, this) as State | undefined;
      if (state === undefined) return undefined;
      state.returned = true;
      if (creating === state) creating = null;
      return (onDone: never, onFailed: never) => promiseThen(state.answer.promise, onDone, onFailed);
    },
  } as never);

  function gearsFuture(): unknown {
    return new GearsFuture();
  }
  return gearsFuture;
}
