import { SingleBar } from 'cli-progress';
import type { Output } from '../render.ts';
import type { ExecutionProgress } from './execution-progress.ts';

/** Shows how far a run is: a line that changes on a terminal, a line every few seconds elsewhere, nothing with `--json`. */
export interface ReadProgress {
  update(now: ExecutionProgress): void;
  stop(): void;
}

const LINE_INTERVAL_MS = 2_000;

/** How many records there are is known at the end only, so nothing is shown of the whole. */
export function createReadProgress(output: Output): ReadProgress {
  return output.live && process.stderr.isTTY === true ? createBar() : createLines(output);
}

function createBar(): ReadProgress {
  const format = '{read} read | {rate}/s | stage {stage} of {stages}';
  const bar = new SingleBar({ format, hideCursor: true, clearOnComplete: false });
  bar.start(1, 0, { read: 0, rate: 0, stage: 1, stages: 1 });
  return {
    update: ({ read, perSecond: rate, stage, stages, isOver }) =>
      bar.update(isOver ? 1 : 0, { read, rate, stage, stages }),
    stop: () => bar.stop(),
  };
}

function createLines(output: Output): ReadProgress {
  let shownAtMs = performance.now();
  return {
    update({ read, perSecond, stage, stages }) {
      if (performance.now() - shownAtMs < LINE_INTERVAL_MS) return;
      shownAtMs = performance.now();
      output.note(`${read} read, ${perSecond}/s, stage ${stage} of ${stages}`);
    },
    stop: () => undefined,
  };
}
