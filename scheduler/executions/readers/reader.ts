/** Records that go to a sandbox together. */
export interface InputPiece {
  /** One RESP array, latin1; '' for a generator, which is pulled. */
  readonly payload: string;
  readonly count: number;
}

/** Where the records of a stage come from; what it throws as REDIS_REPLY is an error of the execution, not of the platform. */
export type RecordSource = AsyncIterable<InputPiece>;

/** Keeps one piece under way while its consumer is busy with the one before. */
export async function* readAhead(source: RecordSource): AsyncGenerator<InputPiece> {
  const iterator = source[Symbol.asyncIterator]();
  let next = iterator.next();
  next.catch(() => {});
  try {
    for (;;) {
      const result = await next;
      if (result.done) return;
      next = iterator.next();
      next.catch(() => {});
      yield result.value;
    }
  } finally {
    await next.catch(() => {});
    await iterator.return?.();
  }
}
