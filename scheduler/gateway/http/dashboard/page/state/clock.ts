import { type ReadonlySignal, signal } from '@preact/signals';

/** The time of this machine, to the second, for ages that grow on the screen. */
export function createClock(): ReadonlySignal<number> {
  const now = signal(Date.now());
  setInterval(() => {
    now.value = Date.now();
  }, 1_000);
  return now;
}
