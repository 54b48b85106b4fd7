import type { Readable } from 'node:stream';

/** What a sandbox process printed: nothing of ours does, so it is engine messages or an escape. */
export interface ChildOutput {
  /** The last characters, for the message about its death. */
  tail(): string;
}

export interface ChildOutputOptions {
  readonly streams: readonly (Readable | null)[];
  readonly onLine: (line: string) => void;
  /** Characters kept for `tail`. Default 4096. */
  readonly tailChars?: number;
  /** Lines passed on in all; a child that prints without end fills no log. Default 200. */
  readonly maxLines?: number;
}

/** Reads to the end, keeps the tail, passes on a bounded number of lines. */
export function captureOutput(options: ChildOutputOptions): ChildOutput {
  const { streams, onLine, tailChars = 4096, maxLines = 200 } = options;
  let tail = '';
  let lines = 0;
  for (const stream of streams) {
    stream?.setEncoding('latin1');
    stream?.on('data', (chunk: string) => {
      tail = (tail + chunk.slice(-tailChars)).slice(-tailChars);
      if (lines >= maxLines) return;
      for (const line of chunk.split('\n', maxLines - lines)) {
        if (line.trim() === '') continue;
        lines += 1;
        onLine(line.slice(0, 1000));
      }
    });
  }
  return { tail: () => tail.trim() };
}
