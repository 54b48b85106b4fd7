import type { Entry, Piece } from './batch.ts';
import { bulk } from './encode.ts';
import { type Budget, spend } from './json.ts';
import type { RecordWriter } from './record-writer.ts';
import { encodeResult } from './results.ts';
import type { Stage } from './stage.ts';
import { Verbatim } from './stringify.ts';
import { bytesOfString } from './text.ts';

/** What framing takes beside the record itself, bytes. */
const FRAMING_BYTES = 24;

export interface StageEncoder {
  readonly writer: RecordWriter;
  /** Limit of the output of one record. */
  readonly outputBytes: number;
  /** Of a record that cannot be sent. */
  readonly failed: (piece: Piece, error: unknown) => void;
}

function encodePiece(
  piece: Piece,
  output: string,
  { writer, budget }: { writer: RecordWriter; budget: Budget },
): string {
  spend(budget, FRAMING_BYTES);
  if (output !== 'results') {
    const text = bulk(writer.write(piece, budget));
    return output === 'partitioned' ? bulk(bytesOfString(piece.key ?? '')) + text : text;
  }
  if (!(piece.value instanceof Verbatim)) return encodeResult(piece.value, budget);
  spend(budget, piece.value.bytes.length);
  return bulk(piece.value.bytes);
}

/** RESP array of what came of an entry, in the form its stage gives; '' when nothing did. */
export function encodeOutput(entry: Entry, stage: Stage, encoder: StageEncoder): string {
  const { outputBytes, writer } = encoder;
  const { execution } = entry;
  const budget = { left: outputBytes - execution.output, limit: outputBytes };
  let text = '';
  let count = 0;
  for (let piece = entry.pieces; piece !== null; piece = piece.next) {
    if (!piece.kept) continue;
    try {
      text += encodePiece(piece, stage.output, { writer, budget });
      count++;
    } catch (error) {
      encoder.failed(piece, error);
    }
  }
  execution.output = outputBytes - budget.left;
  if (count === 0) return '';
  return `*${stage.output === 'partitioned' ? 2 * count : count}\r\n${text}`;
}
