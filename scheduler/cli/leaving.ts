/** What commands still have to do when nobody reads their output any more, as behind `| head`. */
export interface Leaving {
  /** Called once, when the reader has gone; the process ends when what it gives is settled, or after some seconds. */
  before(work: () => Promise<void>): Disposable;
  /** Does all of it. Never rejects; a second call waits for the same. */
  leave(): Promise<void>;
}

const DEADLINE_MS = 5_000;

export function createLeaving(): Leaving {
  const works = new Set<() => Promise<void>>();
  let left: Promise<void> | undefined;
  const doAll = async (): Promise<void> => {
    const { promise: tooLate, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, DEADLINE_MS);
    await Promise.race([tooLate, Promise.allSettled([...works].map((work) => work()))]);
    clearTimeout(timer);
  };
  return {
    before(work) {
      works.add(work);
      return { [Symbol.dispose]: () => void works.delete(work) };
    },
    leave() {
      left ??= doAll();
      return left;
    },
  };
}
