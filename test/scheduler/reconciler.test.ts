import { pino } from 'pino';
import { expect, test, vi } from 'vitest';
import { type ActiveRegistration, PlatformError, type RegistrySnapshot } from '#functions';
import type { Log } from '../../scheduler/log.ts';
import { createReconciler } from '../../scheduler/reconciler.ts';
import type { Trigger } from '../../scheduler/triggers/trigger.ts';
import { waitFor } from '../support/wait.ts';

const SILENT = pino({ level: 'silent' });

function registration(id: string, kind: 'stream' | 'command', versions: readonly number[]): ActiveRegistration {
  const routes = versions.map((version) => ({ version, madeAtMs: 0, heads: {} }));
  const spec = { id, trigger: { kind } } as unknown as ActiveRegistration['spec'];
  return { functionName: 'f', version: versions.at(-1) ?? 1, spec, state: 'running', stateReason: null, routes };
}

function snapshot(revision: number, registrations: readonly ActiveRegistration[]): RegistrySnapshot {
  return { revision, functions: new Map(), registrations: new Map(registrations.map((one) => [one.spec.id, one])) };
}

function trigger(kind: Trigger['kind'], apply: Trigger['apply']): Trigger {
  return { kind, apply, drain: async () => undefined, [Symbol.asyncDispose]: async () => undefined };
}

function harness(
  triggers: readonly Trigger[],
  log: Log = SILENT,
  reasons: ReadonlyMap<string, PlatformError> = new Map(),
) {
  let listener: ((news: RegistrySnapshot) => Promise<void>) | null = null;
  const reported: number[] = [];
  const retained: string[][] = [];
  const pardoned: string[] = [];
  const first = snapshot(1, [registration('a', 'stream', [1, 2]), registration('b', 'command', [2])]);
  const reconciler = createReconciler({
    registry: {
      watch: (given) => {
        listener = given;
        void given(first);
      },
      snapshot: () => first,
      variables: async () => ({ revision: 0, variables: [] }),
    },
    variables: { refresh: async () => undefined, reasonAgainst: (name) => reasons.get(name) ?? null },
    triggers,
    runtime: {
      retain: (versions) => void retained.push(versions.map((v) => `${v.functionName}@${v.version}`)),
      pardon: ({ functionName, version }) => void pardoned.push(`${functionName}@${version}`),
    },
    reportRevision: async (revision) => void reported.push(revision),
    log,
  });
  return { reconciler, reported, retained, pardoned, news: (given: RegistrySnapshot) => listener?.(given) };
}

test('each trigger gets the registrations of its kind, and the revision is reported afterwards', async () => {
  const seen: Record<string, string[]> = {};
  const record = (kind: Trigger['kind']): Trigger =>
    trigger(kind, async (given) => {
      seen[kind] = given.map(({ spec }) => spec.id);
    });
  const { reconciler, reported } = harness([record('stream'), record('command')]);
  await reconciler.start();
  expect(seen).toEqual({ stream: ['a'], command: ['b'] });
  expect(reported).toEqual([1]);
  expect(reconciler.revision).toBe(1);
});

test('versions that a route still names are kept', async () => {
  const { reconciler, retained } = harness([]);
  await reconciler.start();
  expect(retained[0]?.toSorted()).toEqual(['f@1', 'f@2']);
});

test('a trigger that cannot apply keeps the revision from being reported and does not stop the others', async () => {
  let applied = 0;
  const failing = trigger('command', async () => {
    throw new Error('no');
  });
  const good = trigger('stream', async () => {
    applied += 1;
  });
  const { reconciler, reported, news } = harness([failing, good]);
  await reconciler.start();
  await news(snapshot(2, []));
  expect(applied).toBe(2);
  expect(reported).toEqual([]);
  expect(reconciler.revision).toBe(-1);
});

test('what a trigger could not apply is tried again until it can, and then reported', async () => {
  let tries = 0;
  const failing = trigger('command', async () => {
    tries += 1;
    if (tries < 3) throw new Error('not yet');
  });
  const { reconciler, reported } = harness([failing]);
  using _end = reconciler;
  await reconciler.start();
  expect(reported).toEqual([]);
  await waitFor(() => reported.length > 0, { what: 'the revision is reported' });
  expect([tries, reported, reconciler.revision]).toEqual([3, [1], 1]);
});

test('what is not the newest any more is not tried again, and nothing is after the end', async () => {
  vi.useFakeTimers();
  try {
    const seen: number[] = [];
    const failing = trigger('stream', async (given) => {
      seen.push(given.length);
      throw new Error('no');
    });
    const { reconciler, news } = harness([failing]);
    await reconciler.start();
    await news(snapshot(2, []));
    expect(vi.getTimerCount()).toBe(1);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(seen.length).toBeGreaterThan(10);
    expect(seen.slice(1).every((count) => count === 0)).toBe(true);
    reconciler[Symbol.dispose]();
    expect(vi.getTimerCount()).toBe(0);
  } finally {
    vi.useRealTimers();
  }
});

test('snapshots are applied one after another', async () => {
  const order: string[] = [];
  const slow = trigger('stream', async (given) => {
    order.push(`begin ${given.length}`);
    await Promise.resolve();
    order.push(`end ${given.length}`);
  });
  const { reconciler, news } = harness([slow]);
  await Promise.all([reconciler.start(), news(snapshot(2, [])), reconciler.reapply()]);
  expect(order).toEqual(['begin 1', 'end 1', 'begin 0', 'end 0', 'begin 1', 'end 1']);
});

test('the log has one line for each registration that comes, stops, changes or goes', async () => {
  const lines: Record<string, unknown>[] = [];
  const log = pino({ base: null, timestamp: false }, { write: (line) => void lines.push(JSON.parse(line)) });
  const { reconciler, news } = harness([], log);
  await reconciler.start();
  const stream = registration('a', 'stream', [1, 2, 3]);
  await news(snapshot(2, [stream, registration('b', 'command', [2])]));
  await news(snapshot(3, [{ ...stream, state: 'paused', stateReason: 'by ann' }]));
  const about = (id: string, version: number): object => ({ function: 'f', version, registration: id });
  expect(lines).toEqual([
    { level: 30, registrations: 2, msg: 'the registry is in force' },
    { level: 30, ...about('a', 3), msg: 'a registration is in force' },
    { level: 30, ...about('a', 3), state: 'paused', reason: 'by ann', msg: 'a registration stands still' },
    { level: 30, ...about('b', 2), msg: 'a registration is out of force' },
  ]);
});

test('a version that was stopped may run again where its registration is resumed, before any event comes', async () => {
  const order: string[] = [];
  const stream = registration('a', 'stream', [1]);
  const { reconciler, pardoned, news } = harness([
    trigger('stream', async (given) => void order.push(`${given[0]?.state} ${pardoned.length}`)),
  ]);
  await reconciler.start();
  const one = (state: ActiveRegistration['state'], versions = stream): RegistrySnapshot =>
    snapshot(2, [{ ...versions, state }]);
  for (const state of ['paused', 'running', 'quarantined', 'running'] as const) await news(one(state));
  expect(pardoned).toEqual(['f@1']);
  expect(order.slice(1)).toEqual(['paused 0', 'running 0', 'quarantined 0', 'running 1']);
  await news(one('quarantined'));
  await news(one('running', registration('a', 'stream', [2])));
  expect(pardoned).toEqual(['f@1']);
});

test('a function without its secrets takes nothing up on this node, and says why', async () => {
  const seen: ActiveRegistration[] = [];
  const record = trigger('stream', async (given) => void seen.push(...given));
  const reason = new PlatformError('SECRET_MISSING', 'f asks for the secret KEY');
  const { reconciler, reported } = harness([record], SILENT, new Map([['f', reason]]));
  await reconciler.start();
  expect(seen.map(({ state, stateReason }) => [state, stateReason])).toEqual([
    ['paused', 'SECRET_MISSING: f asks for the secret KEY'],
  ]);
  expect(reported).toEqual([1]);
});
