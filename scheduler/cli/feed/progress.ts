import { Presets, SingleBar } from 'cli-progress';
import type { Output } from '../render.ts';

/** What is known of the whole: bytes of a file, or nothing when it comes from a pipe. */
export interface ProgressTotal {
  readonly totalBytes: number | null;
  /** Bytes read so far. */
  readonly readBytes: () => number;
}

/** Shows how far a feed is: a bar on a terminal, a line every few seconds elsewhere, nothing with `--json`. */
export interface Progress {
  update(appended: number): void;
  stop(): void;
}

/** Columns that the text beside the bar takes. */
const TEXT_WIDTH = 58;
const WIDEST_BAR = 40;

/** Width of a bar that leaves `textWidth` columns of the terminal to the text beside it. */
export function barWidth(textWidth: number): number {
  return Math.min(WIDEST_BAR, Math.max(5, (process.stderr.columns ?? 80) - textWidth));
}

const LINE_INTERVAL_MS = 2_000;

export function createProgress(output: Output, { totalBytes, readBytes }: ProgressTotal): Progress {
  const startedAtMs = performance.now();
  const rateOf = (appended: number): number => appended / Math.max(0.001, (performance.now() - startedAtMs) / 1000);
  const left = (): string => {
    const read = readBytes();
    if (totalBytes === null || read === 0) return '?';
    const elapsedMs = performance.now() - startedAtMs;
    return spanText((elapsedMs * (totalBytes - read)) / read);
  };
  return output.live && process.stderr.isTTY === true
    ? createBar({ totalBytes, readBytes }, rateOf, left)
    : createLines(output, (appended) => {
        const percent = Math.floor((100 * readBytes()) / Math.max(1, totalBytes ?? 1));
        const rest = totalBytes === null ? '' : `, ${percent} %, ${left()} left`;
        return `${appended} entries, ${Math.round(rateOf(appended))} entries/s${rest}`;
      });
}

function createBar(
  { totalBytes, readBytes }: ProgressTotal,
  rateOf: (appended: number) => number,
  left: () => string,
): Progress {
  const shape = totalBytes === null ? '' : '{bar} {percentage} % | ';
  const bar = new SingleBar(
    {
      format: `${shape}{entries} entries | {rate} entries/s | {left} left`,
      hideCursor: true,
      clearOnComplete: false,
      barsize: barWidth(TEXT_WIDTH),
    },
    Presets.shades_classic,
  );
  const payload = (appended: number) => ({
    entries: appended,
    rate: Math.round(rateOf(appended)),
    left: totalBytes === null ? 'unknown time' : left(),
  });
  bar.start(Math.max(1, totalBytes ?? 1), 0, payload(0));
  return {
    update: (appended) => bar.update(readBytes(), payload(appended)),
    stop: () => bar.stop(),
  };
}

function createLines(output: Output, text: (appended: number) => string): Progress {
  let shownAtMs = performance.now();
  return {
    update: (appended) => {
      if (performance.now() - shownAtMs < LINE_INTERVAL_MS) return;
      shownAtMs = performance.now();
      output.note(text(appended));
    },
    stop: () => undefined,
  };
}

/** A span of time for people: `12s`, `3m 05s`. */
export function spanText(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  return seconds < 60 ? `${seconds}s` : `${Math.floor(seconds / 60)}m ${String(seconds % 60).padStart(2, '0')}s`;
}
