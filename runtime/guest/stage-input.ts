import type { Batch, Piece } from './batch.ts';
import type { Parser } from './parse.ts';
import { createRecordReader } from './record-reader.ts';
import { readScannedKey } from './scanned-key.ts';

export interface StageInput {
  /** The next record of a piece of input; it has no entry yet. */
  read(batch: Batch, input: string): Piece;
}

/** Reads what the node feeds to stages; the forms are described at `StageRequest.input`. */
export function createStageInput(parser: Parser): StageInput {
  const reader = createRecordReader();

  function readValue(batch: Batch, input: string): unknown {
    if (input === 'keys') return readScannedKey(parser);
    return input === 'stream' ? parser.streamRecord(batch.key) : parser.reply(false);
  }

  return {
    read(batch, input) {
      parser.open(batch.payload, batch.at, batch.ascii);
      if (batch.at === 0) parser.arrayLength();
      const { key, value } =
        input === 'records' ? reader.read(parser.bytes() ?? '') : { key: null, value: readValue(batch, input) };
      batch.at = parser.at;
      return { entry: null as never, value, key, kept: true, next: null };
    },
  };
}
