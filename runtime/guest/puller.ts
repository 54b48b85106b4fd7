import { isThenable, type UserFunction } from './plan.ts';
import { asyncIteratorSymbol, iteratorSymbol, promiseOf, promiseThen, reflectApply } from './primordials.ts';

/** What one pull gave. */
export interface Pulled {
  readonly done: boolean;
  readonly value: unknown;
}

export interface Puller {
  /** The next record, at once or later; one pull must have ended before the next. Throws what user code throws. */
  next(): Pulled | Promise<Pulled>;
}

const END: Pulled = { done: true, value: undefined };

interface AnyIterator {
  next?: unknown;
}

/** The iterator of a value that can be iterated over, texts left out; null for everything else. */
function iteratorOf(value: unknown): AnyIterator | null {
  if (value === null || typeof value !== 'object') return null;
  const methods = value as Readonly<Record<symbol, unknown>>;
  const method = methods[asyncIteratorSymbol] ?? methods[iteratorSymbol];
  if (typeof method === 'function') return reflectApply(method as never, value, []) as AnyIterator;
  return typeof (value as AnyIterator).next === 'function' ? (value as AnyIterator) : null;
}

/**
 * Records of a generator reader. What the function returns is iterated over once, if it can be (a generator, an async one, a
 * list, a Map …); any other value is a record, and the function is called again for the next one, until it returns undefined.
 */
export function createPuller(fn: UserFunction): Puller {
  let iterator: AnyIterator | null = null;

  function step(): Pulled | Promise<Pulled> {
    const source = iterator as AnyIterator;
    const out = reflectApply(source.next as never, source, []) as unknown;
    return isThenable(out) ? (promiseThen(promiseOf(out), settled) as Promise<Pulled>) : settled(out);
  }

  /** An iterator of promises gives their values. */
  function settled(out: unknown): Pulled | Promise<Pulled> {
    const { done, value } = out as { readonly done?: unknown; readonly value?: unknown };
    if (done) return END;
    if (!isThenable(value)) return { done: false, value };
    return promiseThen(promiseOf(value), (awaited) => ({ done: false, value: awaited })) as Promise<Pulled>;
  }

  function first(out: unknown): Pulled | Promise<Pulled> {
    iterator = iteratorOf(out);
    if (iterator !== null) return step();
    return out === undefined ? END : { done: false, value: out };
  }

  return {
    next() {
      if (iterator !== null) return step();
      const out = fn();
      return isThenable(out) ? (promiseThen(promiseOf(out), first) as Promise<Pulled>) : first(out);
    },
  };
}
