/** Runs within handlers, waiting, futures and time. */
export {};

declare global {
  /**
   * Waits, up to the end of the event: its time limit (`limit-execution-ms`) goes on. Seconds may be fractions, up to a day.
   * @example
   * await sleep(0.5);
   */
  function sleep(seconds: number): Promise<void>;

  /**
   * Begins an async function beside the callback at hand, after `delay` seconds. What it comes to goes to `future`; without one its
   * error is logged. It ends with the event: what has not begun by then never does.
   * @example
   * runCoroutine(async () => setFutureException(future, 'nobody came'), { delay: 5 });
   */
  function runCoroutine(
    coroutine: (() => unknown) | Promise<unknown>,
    options?: { future?: GearsFuture | null; delay?: number },
  ): void;

  function runCoroutine(
    coroutine: (() => unknown) | Promise<unknown>,
    future: GearsFuture | null,
    delay?: number,
  ): void;

  /** Stands for the answer of one callback; see `gearsFuture`. */
  interface GearsFuture extends PromiseLike<never> {
    /**
     * The record goes on: with this as mapped value, list, verdict of a filter or accumulator; `foreach` does not look at it.
     * @example
     * future.continueRun(value);
     */
    continueRun(value?: unknown): void;
    /**
     * The record fails; of a text nothing but the text is told.
     * @example
     * future.continueFailed(new Error('no answer'));
     */
    continueFailed(error: unknown): void;
  }

  /**
   * Made in the callback of a step, one per call, and returned by it: the record goes on when the future is continued, once. A future
   * that nobody continues ends with the time limit of its event.
   * @example
   * GB('StreamReader').map((r) => { const f = gearsFuture(); runCoroutine(() => load(r.value.url), f); return f; });
   */
  function gearsFuture(): GearsFuture;

  /** Waited for by one handler and completed by another; see `createFuture`. */
  interface Future<Value = unknown> extends PromiseLike<Value> {
    /**
     * A name that may be stored and sent around.
     * @example
     * await execute('LPUSH', 'waiting', String(future));
     */
    toString(): string;
    /**
     * The same as `toString`, for `JSON.stringify`.
     * @example
     * await execute('LPUSH', 'waiting', JSON.stringify({ question: r.value.question, answer: future }));
     */
    toJSON(): string;
  }

  /**
   * A future that any handler of this function may complete, on any node. Awaiting it waits for that, up to the end of the event.
   * @example
   * const future = createFuture(); await execute('LPUSH', 'jobs', JSON.stringify({ text, future })); return await future;
   */
  function createFuture<Value = unknown>(): Future<Value>;

  /**
   * Completes a future, or one of which only the text is at hand, with what can travel between stages. Rejects when it has been
   * completed before: of several who try, one succeeds.
   * @example
   * const job = JSON.parse(await execute('RPOP', 'jobs')); await setFutureResults(job.future, 'taken');
   */
  function setFutureResults<Value>(future: Future<Value> | string, value: Value): Promise<void>;

  /**
   * The same with an error for whoever waits; a text is told as it is, of an Error name and message.
   * @example
   * await setFutureException(future, new RangeError('too late'));
   */
  function setFutureException(future: Future<never> | Future | string, error: unknown): Promise<void>;

  /**
   * Throws an error that is told and recorded as this text, without name and stack: to the caller of a command it is the whole error
   * reply. A text that begins with `PAUSE` pauses a registration whose entries can wait.
   * @example
   * if (user === null) flatError('NOSUCHUSER there is no such user');
   */
  function flatError(message: string): never;

  /**
   * True where a callback may wait: while an event is handled, outside of `atomic`.
   * @example
   * return isAsyncAllow() ? slowly() : 'later';
   */
  function isAsyncAllow(): boolean;

  /**
   * Calls `callback` every so many seconds, once in the whole fleet, until it throws: short for a ScheduleReader, which can do more. Works
   * while the source is loaded.
   * @example
   * registerTE(60, () => execute('DEL', 'counters:minute'));
   */
  function registerTE(seconds: number, callback: () => unknown): void;
}
