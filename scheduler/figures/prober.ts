import type { Logger } from 'pino';
import type { Probe } from './figures.ts';

/** Measures what costs Redis something: so often that it takes at most a twentieth of the time, at most once a second. */
export interface Prober {
  /** Measures, if it is time to; never twice at once. */
  ask(): void;
  /** The newest measurement, once. */
  take(): Probe | null;
}

const SHARE = 20;
const LONGEST_PAUSE_MS = 30_000;

export function createProber(measure: () => Promise<Probe>, log: Logger): Prober {
  let measured: Probe | null = null;
  let isBusy = false;
  let notBeforeMs = 0;
  const run = async (): Promise<void> => {
    const beginMs = performance.now();
    try {
      measured = await measure();
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
    take() {
      const taken = measured;
      measured = null;
      return taken;
    },
  };
}
