import { describe, expect, test, vi } from 'vitest';
import { createWatchdog, judge, type Watched } from '../../../runtime/sandbox/watchdog.ts';
import { waitFor } from '../../support/wait.ts';

const LIMITS = { graceMs: 500, residentBytes: 1000 };
const HEALTHY = { busyMs: 100, limitMs: 2000, owesPing: false, residentBytes: 900 };

describe('the verdict of the watchdog', () => {
  test('leaves alone who is within limits and grace', () => {
    expect(judge(HEALTHY, LIMITS)).toBeNull();
    expect(judge({ ...HEALTHY, busyMs: 2500 }, LIMITS)).toBeNull();
    expect(judge({ ...HEALTHY, busyMs: null }, LIMITS)).toBeNull();
  });

  test('names limit and setting of a call that does not end', () => {
    const verdict = judge({ ...HEALTHY, busyMs: 2501 }, LIMITS);
    expect(verdict?.cause).toBe('call-time');
    expect(verdict?.detail).toContain('2000 ms (limit-call-ms)');
  });

  test('sees memory, also of an idle process', () => {
    expect(judge({ ...HEALTHY, busyMs: null, residentBytes: 1001 }, LIMITS)?.cause).toBe('memory');
  });

  test('sees a process that does not answer a ping', () => {
    expect(judge({ ...HEALTHY, busyMs: 6000, limitMs: 5000, owesPing: true }, LIMITS)?.cause).toBe('unresponsive');
  });
});

function subject(overrides: Partial<Watched>): Watched {
  return {
    busySinceMs: () => null,
    limitMs: () => 1000,
    owesPing: () => false,
    measureResidentBytes: () => 0,
    excuse: () => {},
    ping: () => {},
    kill: () => {},
    ...overrides,
  };
}

test('a busy process is looked at on every tick and killed once it is over its time', async () => {
  using watchdog = createWatchdog({ graceMs: 0, residentBytes: 1e9, intervalMs: 5 });
  const kill = vi.fn();
  const since = performance.now();
  const unwatch = watchdog.watch(subject({ busySinceMs: () => since, limitMs: () => 20, kill }));
  await waitFor(() => kill.mock.calls.length > 0, { what: 'the kill' });
  unwatch();
  expect(kill.mock.calls[0]?.[0]).toBe('call-time');
});

test('a node that was held up itself does not charge the child for it', async () => {
  using watchdog = createWatchdog({ graceMs: 0, residentBytes: 1e9, intervalMs: 5 });
  const kill = vi.fn();
  let since = performance.now();
  let excused = 0;
  watchdog.watch(
    subject({
      busySinceMs: () => since,
      limitMs: () => 150,
      excuse: (ms) => {
        excused += ms;
        since = Math.min(performance.now(), since + ms);
      },
      kill,
    }),
  );
  const until = performance.now() + 300;
  while (performance.now() < until);
  await waitFor(() => excused > 0, { what: 'the excuse' });
  expect(kill).not.toHaveBeenCalled();
});

test('an idle process is asked now and then whether it is alive', async () => {
  using watchdog = createWatchdog({ graceMs: 0, residentBytes: 1e9, intervalMs: 1 });
  const ping = vi.fn();
  watchdog.watch(subject({ ping }));
  await waitFor(() => ping.mock.calls.length > 0, { what: 'a ping' });
});
