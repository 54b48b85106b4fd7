/** Records that go to a sandbox together. */
export interface InputPiece {
  /** One RESP array, latin1; '' for a generator, which is pulled. */
  readonly payload: string;
  readonly count: number;
}

/** Where the records of a stage come from; what it throws as REDIS_REPLY is an error of the execution, not of the platform. */
export type RecordSource = AsyncIterable<InputPiece>;

/** Pieces of a source, one always under way: the first from the beginning on. */
export interface AheadReader extends AsyncDisposable {
  /** Null: there are no more. */
  next(): Promise<InputPiece | null>;
}

/** Keeps one piece under way while its consumer is busy with the one before, or not ready yet. */
export function readAhead(source: RecordSource): AheadReader {
  const iterator = source[Symbol.asyncIterator]();
  const ask = (): Promise<IteratorResult<InputPiece>> => {
    const asked = iterator.next();
    asked.catch(() => {});
    return asked;
  };
  let next = ask();
  return {
    async next() {
      const result = await next;
      if (result.done === true) return null;
      next = ask();
      return result.value;
    },
    async [Symbol.asyncDispose]() {
      await next.catch(() => {});
      await iterator.return?.();
    },
  };
}
