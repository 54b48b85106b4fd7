import type { Logger } from 'pino';

/** Measures what costs Redis something: so often that it takes at most a hundredth of the time, at most once a second. */
export interface Prober<Measurement> {
  /** Measures, if it is time to; never twice at once. */
  ask(): void;
  /** The newest measurement, unless it is too old to be worth anything. */
  newest(): Measurement | null;
}

const SHARE = 100;
const LONGEST_PAUSE_MS = 30_000;
const GOOD_FOR_MS = 2 * LONGEST_PAUSE_MS;

export function createProber<Measurement>(measure: () => Promise<Measurement>, log: Logger): Prober<Measurement> {
  let measured: Measurement | null = null;
  let measuredAtMs = 0;
  let isBusy = false;
  let notBeforeMs = 0;
  const run = async (): Promise<void> => {
    const beginMs = performance.now();
    try {
      measured = await measure();
      measuredAtMs = performance.now();
    } catch (error) {
      log.debug({ err: error }, 'the lag of the streams could not be measured');
    }
    const tookMs = performance.now() - beginMs;
    notBeforeMs = performance.now() + Math.min(LONGEST_PAUSE_MS, tookMs * SHARE) - tookMs;
    isBusy = false;
  };
  return {
    ask() {
      if (isBusy || performance.now() < notBeforeMs) return;
      isBusy = true;
      void run();
    },
    newest: () => (performance.now() - measuredAtMs < GOOD_FOR_MS ? measured : null),
  };
}
