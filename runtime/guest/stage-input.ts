import type { Batch, Piece } from './batch.ts';
import type { Parser } from './parse.ts';
import { createRecordReader } from './record-reader.ts';
import { readScannedKey, readScannedValue } from './scanned-key.ts';
import type { Stage } from './stage.ts';

export interface StageInput {
  /** The next record of a piece of input; it has no entry yet. */
  read(batch: Batch, stage: Stage): Piece;
}

/** Reads what the node feeds to stages; the forms are described at `StageRequest.input`. */
export function createStageInput(parser: Parser): StageInput {
  const reader = createRecordReader();

  /** Keys of one type: names and values stand apart. */
  function openColumns(stage: Stage): void {
    const type = parser.bytes() ?? '';
    const bytes = parser.reply(false) as number;
    const { at } = parser;
    parser.arrayLength();
    stage.names = { type, at: parser.at };
    parser.at = at + bytes;
    parser.arrayLength();
  }

  function readValue(batch: Batch, { input, names }: Stage): unknown {
    if (names !== null) {
      const { at } = parser;
      parser.at = names.at;
      const key = parser.reply(false);
      names.at = parser.at;
      parser.at = at;
      return readScannedValue(parser, key, names.type);
    }
    if (input === 'keys') return readScannedKey(parser);
    return input === 'stream' ? parser.streamRecord(batch.key) : parser.reply(false);
  }

  return {
    read(batch, stage) {
      const { input } = stage;
      parser.open(batch.payload, batch.at, batch.ascii);
      if (batch.at === 0) {
        parser.arrayLength();
        stage.names = null;
        if (input === 'keys' && !parser.isArray()) openColumns(stage);
      }
      const { key, value } =
        input === 'records' ? reader.read(parser.bytes() ?? '') : { key: null, value: readValue(batch, stage) };
      batch.at = parser.at;
      return { entry: null as never, value, key, kept: true, next: null };
    },
  };
}
