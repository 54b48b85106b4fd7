import { SingleBar } from 'cli-progress';
import type { Output } from '../render.ts';
import type { ExecutionProgress } from './execution-progress.ts';

/** Shows how far a run is: a line that changes on a terminal, a line every few seconds elsewhere, nothing with `--json`. */
export interface ReadProgress {
  update(now: ExecutionProgress): void;
  /** Lets `print` write lines to standard output, which stay above. */
  above(print: () => void): void;
  /** Leaves the last state there. A second call does nothing. */
  stop(): void;
}

const LINE_INTERVAL_MS = 2_000;

/** Where nobody knows how much there is, a line without a bar. */
export function createReadProgress(output: Output): ReadProgress {
  return output.live && process.stderr.isTTY === true ? createBar() : createLines(output);
}

function createBar(): ReadProgress {
  let line = '0 read';
  const begin = (): SingleBar => {
    const bar = new SingleBar({ format: '{line}', hideCursor: true, clearOnComplete: true });
    bar.start(1, 0, { line });
    return bar;
  };
  let bar = begin();
  let isStopped = false;
  return {
    update(now) {
      line = progressLine(now);
      bar.update(0, { line });
    },
    above(print) {
      bar.stop();
      print();
      bar = begin();
    },
    stop() {
      if (isStopped) return;
      isStopped = true;
      bar.stop();
      process.stderr.write(`${line}\n`);
    },
  };
}

const BAR_WIDTH = 30;

/** How far a run is, in one line. */
export function progressLine({ read, perSecond, percent, stage, stages }: ExecutionProgress): string {
  const text = `${read} read | ${perSecond}/s | stage ${stage} of ${stages}`;
  if (percent === null) return text;
  const full = Math.round((percent / 100) * BAR_WIDTH);
  return `[${'='.repeat(full)}${' '.repeat(BAR_WIDTH - full)}] ${Math.floor(percent)} % | ${text}`;
}

function createLines(output: Output): ReadProgress {
  let shownAtMs = performance.now();
  return {
    update({ read, perSecond, stage, stages }) {
      if (performance.now() - shownAtMs < LINE_INTERVAL_MS) return;
      shownAtMs = performance.now();
      output.note(`${read} read, ${perSecond}/s, stage ${stage} of ${stages}`);
    },
    above: (print) => print(),
    stop: () => undefined,
  };
}
