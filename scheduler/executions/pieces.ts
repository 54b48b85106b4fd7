import { PlatformError, type RedisAccess } from '#functions';
import type { SchedulerErrorCode } from '../errors.ts';

/** A list in Redis whose elements are RESP arrays of bounded size: records on their way, or results. */
export interface PieceWriter extends Disposable {
  /** Adds one encoded value. Errors: RESULTS_TOO_LARGE when the limit is crossed, those of the connection. */
  add(encoded: string): Promise<void> | undefined;
  /** Writes what is left. Errors: those of earlier writes, too. Disposing forgets it. */
  flush(): Promise<void>;
  readonly pieces: number;
  readonly records: number;
  readonly bytes: number;
}

export interface PieceWriterOptions {
  readonly client: RedisAccess['client'];
  readonly key: string;
  readonly lifeMs: number;
  /** Called with the size of everything added, may throw. */
  readonly spend: (bytes: number) => void;
  /** How long a value may wait for others of its piece, ms; left out: until the piece is full. */
  readonly patienceMs?: number;
}

const PIECE_BYTES = 256 * 1024;
const PIECE_RECORDS = 10_000;

export function createPieceWriter({ client, key, lifeMs, spend, patienceMs }: PieceWriterOptions): PieceWriter {
  let body = '';
  let waiting = 0;
  let pieces = 0;
  let records = 0;
  let bytes = 0;
  let timer: NodeJS.Timeout | undefined;
  let written: Promise<void> = Promise.resolve();
  const put = async (piece: Buffer): Promise<void> => {
    await client.rpush(key, piece);
    await client.pexpire(key, lifeMs);
  };
  const write = (): Promise<void> => {
    clearTimeout(timer);
    timer = undefined;
    const piece = Buffer.from(`*${waiting}\r\n${body}`, 'latin1');
    body = '';
    waiting = 0;
    pieces += 1;
    // One behind the other, and none behind one that failed.
    written = written.then(() => put(piece));
    return written;
  };
  const writeSoon = (): void => {
    timer ??= setTimeout(() => void write().catch(() => undefined), patienceMs);
  };
  return {
    add(encoded) {
      spend(encoded.length);
      body += encoded;
      bytes += encoded.length;
      waiting += 1;
      records += 1;
      if (body.length >= PIECE_BYTES || waiting >= PIECE_RECORDS) return write();
      if (patienceMs !== undefined) writeSoon();
      return undefined;
    },
    flush: () => (waiting > 0 ? write() : written),
    [Symbol.dispose]: () => clearTimeout(timer),
    get pieces() {
      return pieces;
    },
    get records() {
      return records;
    },
    get bytes() {
      return bytes;
    },
  };
}

/** Counts bytes up to a limit. Throws RESULTS_TOO_LARGE beyond. */
export function createBudget(limitBytes: number, setting: string): (bytes: number) => void {
  let left = limitBytes;
  return (bytes) => {
    left -= bytes;
    if (left >= 0) return;
    throw new PlatformError<SchedulerErrorCode>(
      'RESULTS_TOO_LARGE',
      `the results, or the records between two stages, have more than ${limitBytes} bytes (setting ${setting})`,
      { details: { limitBytes, setting } },
    );
  };
}

/** Pieces [from, to) of a list as latin1 text; those that are gone are missing. */
export async function readPieces(
  client: RedisAccess['client'],
  key: string,
  { from, to }: { readonly from: number; readonly to: number },
): Promise<readonly string[]> {
  if (to <= from) return [];
  const found = await client.lrangeBuffer(key, from, to - 1);
  return found.map((piece) => piece.toString('latin1'));
}

/** Number of values of a piece. */
export function pieceCount(piece: string): number {
  return Number(piece.slice(1, piece.indexOf('\r\n')));
}

/** The values of a piece without the head of their array. */
export function pieceBody(piece: string): string {
  return piece.slice(piece.indexOf('\r\n') + 2);
}

/** The values of all pieces as one RESP array. */
export function joinPieces(pieces: readonly string[]): string {
  const count = pieces.reduce((sum, piece) => sum + pieceCount(piece), 0);
  return `*${count}\r\n${pieces.map(pieceBody).join('')}`;
}
