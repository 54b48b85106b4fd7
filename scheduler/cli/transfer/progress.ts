import process from 'node:process';
import { SingleBar } from 'cli-progress';
import type { Output } from '../render.ts';

/** Shows how far long work is, on standard error: a bar on a terminal, else a line every few seconds; nothing with `--json`. */
export interface TransferProgress extends Disposable {
  at(done: number, what: string): void;
}

const LINE_INTERVAL_MS = 2_000;

export function createTransferProgress(output: Output, verb: string, total: number | null): TransferProgress {
  if (!output.json && process.stderr.isTTY === true) return createBar(verb, total);
  let toldAtMs = performance.now();
  return {
    at(done, what) {
      if (performance.now() - toldAtMs < LINE_INTERVAL_MS) return;
      toldAtMs = performance.now();
      output.note(`${verb} ${done}${total === null ? '' : ` of ${total}`} versions (${what})`);
    },
    [Symbol.dispose]: () => undefined,
  };
}

/** Where nobody knows how much there is, a line that changes. */
function createBar(verb: string, total: number | null): TransferProgress {
  const format =
    total === null ? `${verb} {value} versions | {what}` : `${verb} [{bar}] {value} of {total} versions | {what}`;
  const bar = new SingleBar({
    format,
    hideCursor: true,
    clearOnComplete: true,
    barCompleteChar: '=',
    barIncompleteChar: ' ',
  });
  bar.start(total ?? 0, 0, { what: '' });
  return {
    at: (done, what) => bar.update(done, { what }),
    [Symbol.dispose]: () => bar.stop(),
  };
}
