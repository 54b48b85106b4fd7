import process from 'node:process';
import type { Redis } from 'ioredis';
import { expect, test } from 'vitest';
import { withSilenceWatch } from '../../../scheduler/fleet/silence-watch.ts';

test('a beat that is never answered does not keep the process alive', () => {
  const timers = (): number => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
  const before = timers();
  void withSilenceWatch({ status: 'reconnecting' } as Redis, new Promise(() => undefined), 60_000);
  expect(timers()).toBe(before);
});
