import { setTimeout as sleep } from 'node:timers/promises';
import type { CommandArgument, DoorClient } from '../client.ts';
import type { LineFormat } from './entry-format.ts';

export interface FeedOptions {
  readonly door: DoorClient;
  readonly stream: string;
  readonly format: LineFormat;
  /** Entries per second at most; null = as fast as it goes. */
  readonly ratePerSecond: number | null;
  /** Lines read at most; null = all. */
  readonly limit: number | null;
  /** Length the stream is trimmed to (about); null = never. */
  readonly maxLength: number | null;
  /** Called after each chunk with the entries appended so far. */
  readonly onProgress: (appended: number) => void;
  /** Aborted: stop after the chunks under way. */
  readonly signal: AbortSignal;
}

const CHUNK_ENTRIES = 1000;
/** Chunks under way at once: one is written while another one waits for its replies. */
const CHUNKS_IN_FLIGHT = 2;
/** A limited rate is spread over this many chunks a second. */
const CHUNKS_PER_SECOND = 10;

/**
 * Appends each line as an entry, in order, and resolves with how many were appended. Reads no faster than the door takes
 * them. Rejects with the first error of a line or of the door; `onProgress` has told what was appended before.
 */
export async function feedLines(lines: AsyncIterable<Buffer>, options: FeedOptions): Promise<number> {
  const sender = createSender(options);
  const rate = options.ratePerSecond;
  const chunkSize =
    rate === null ? CHUNK_ENTRIES : Math.min(CHUNK_ENTRIES, Math.max(1, Math.round(rate / CHUNKS_PER_SECOND)));
  let chunk: (readonly CommandArgument[])[] = [];
  let lineNumber = 0;
  try {
    for await (const line of lines) {
      if (lineNumber === options.limit || options.signal.aborted) break;
      lineNumber += 1;
      const fields = options.format(line, lineNumber);
      if (fields !== null) chunk.push(fields);
      if (chunk.length < chunkSize) continue;
      await sender.send(chunk);
      chunk = [];
    }
  } catch (error) {
    await sender.send(chunk);
    await sender.finish();
    throw error;
  }
  await sender.send(chunk);
  return await sender.finish();
}

interface Sender {
  /** Resolves when the next chunk may be made. */
  send(chunk: readonly (readonly CommandArgument[])[]): Promise<void>;
  /** Resolves with all entries appended. */
  finish(): Promise<number>;
}

function createSender({ door, stream, maxLength, ratePerSecond, onProgress, signal }: FeedOptions): Sender {
  const head: readonly CommandArgument[] = [
    'XADD',
    stream,
    ...(maxLength === null ? [] : ['MAXLEN', '~', maxLength]),
    '*',
  ];
  const inFlight: Promise<void>[] = [];
  const startedAtMs = performance.now();
  let sent = 0;
  let appended = 0;
  const write = async (chunk: readonly (readonly CommandArgument[])[]): Promise<void> => {
    await door.pipeline(chunk.map((fields) => [...head, ...fields]));
    appended += chunk.length;
    onProgress(appended);
  };
  const keepRate = async (): Promise<void> => {
    if (ratePerSecond === null) return;
    const dueInMs = startedAtMs + (sent / ratePerSecond) * 1000 - performance.now();
    if (dueInMs > 0) await sleep(dueInMs, undefined, { signal }).catch(() => undefined);
  };
  return {
    send: async (chunk) => {
      if (chunk.length === 0) return;
      await keepRate();
      const writing = write(chunk);
      // Awaited below or in finish; until then a rejection must not count as unhandled.
      writing.catch(() => undefined);
      inFlight.push(writing);
      sent += chunk.length;
      if (inFlight.length >= CHUNKS_IN_FLIGHT) await inFlight.shift();
    },
    finish: async () => {
      await Promise.all(inFlight);
      return appended;
    },
  };
}
