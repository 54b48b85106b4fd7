import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { PlatformError } from '#functions';
import type { DoorClient } from '../client.ts';
import type { Output } from '../render.ts';
import type { LineFormat } from './entry-format.ts';
import { feedLines } from './feeder.ts';
import { readLines } from './lines.ts';
import { createProgress, type ProgressTotal } from './progress.ts';

const READ_BYTES = 256 * 1024;

/** Bytes to be fed, and how far reading them is. */
export interface FeedSource extends ProgressTotal {
  readonly chunks: Readable;
}

/** A file, or standard input for `-`. Throws ARGUMENT_INVALID for a file that cannot be read. */
export async function openSource(file: string): Promise<FeedSource> {
  if (file === '-') return countBytes(process.stdin, null);
  const facts = await stat(file).catch((cause: NodeJS.ErrnoException) => {
    throw unreadable(file, cause);
  });
  if (facts.isDirectory()) throw new PlatformError('ARGUMENT_INVALID', `${file} is a directory; give a file`);
  const stream = createReadStream(file, { highWaterMark: READ_BYTES });
  return countBytes(stream, facts.isFile() ? facts.size : null);
}

function unreadable(file: string, cause: NodeJS.ErrnoException): PlatformError {
  const why = cause.code === 'ENOENT' ? 'there is no such file' : cause.message;
  return new PlatformError('ARGUMENT_INVALID', `${file} cannot be read: ${why}`, { cause });
}

/** Any stream of bytes as a source; `totalBytes` null when nobody knows. */
export function countBytes(stream: Readable, totalBytes: number | null): FeedSource {
  let read = 0;
  stream.on('data', (chunk: Buffer) => {
    read += chunk.length;
  });
  stream.pause();
  return { chunks: stream, totalBytes, readBytes: () => read };
}

export interface FeedRequest {
  readonly door: DoorClient;
  readonly output: Output;
  readonly stream: string;
  readonly format: LineFormat;
  readonly ratePerSecond: number | null;
  readonly limit: number | null;
  readonly maxLength: number | null;
}

/** How a feed ended. */
export interface FeedReport {
  readonly stream: string;
  readonly appended: number;
  readonly seconds: number;
  readonly entriesPerSecond: number;
  /** True when it was ended by Ctrl-C. */
  readonly interrupted: boolean;
  /** What ended it early; undefined when all was read. */
  readonly error: unknown;
}

/** Feeds a source with progress on the screen until it ends, fails or is interrupted; never rejects. */
export async function feedSource(source: FeedSource, { output, ...request }: FeedRequest): Promise<FeedReport> {
  const progress = createProgress(output, source);
  const interrupted = new AbortController();
  const onInterrupt = (): void => {
    interrupted.abort();
    source.chunks.destroy();
  };
  process.once('SIGINT', onInterrupt);
  const startedAtMs = performance.now();
  let appended = 0;
  const onProgress = (count: number): void => {
    appended = count;
    progress.update(count);
  };
  let error: unknown;
  try {
    await feedLines(readLines(source.chunks), { ...request, signal: interrupted.signal, onProgress });
  } catch (reason) {
    error = interrupted.signal.aborted ? undefined : reason;
  } finally {
    process.off('SIGINT', onInterrupt);
    source.chunks.destroy();
    progress.stop();
  }
  const seconds = Math.round(performance.now() - startedAtMs) / 1000;
  const entriesPerSecond = Math.round(appended / Math.max(seconds, 0.001));
  return {
    stream: request.stream,
    appended,
    seconds,
    entriesPerSecond,
    interrupted: interrupted.signal.aborted,
    error,
  };
}
