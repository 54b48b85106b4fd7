import { pino } from 'pino';
import { describe, expect, test } from 'vitest';
import type { ActiveRegistration, DeliveryMode, LoadableVersion } from '#functions';
import type { EndedEntries, FailureKind, Invocation, Outcome } from '#runtime';
import type { Permits } from '../../../scheduler/fleet/fleet.ts';
import { createPermitLine } from '../../../scheduler/fleet/permit-line.ts';
import type { RunCount } from '../../../scheduler/journal/journal.ts';
import type { CommandJob } from '../../../scheduler/queues/async-queue.ts';
import { type CommandTriggerOptions, createCommandTrigger } from '../../../scheduler/triggers/command.ts';
import { waitFor } from '../../support/wait.ts';

interface Run {
  readonly invocation: Invocation;
  end(ended: Partial<EndedEntries>, commands?: number): void;
}

/** Everything in here is memory: after two turns of the event loop what was begun has gone as far as it can. */
async function tick(): Promise<void> {
  for (let turn = 0; turn < 2; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

/** Permits of a fleet of one node, in memory. */
function permitsInMemory(): Pick<Permits, 'take'> {
  return createPermitLine({
    report: async ({ limit, used, wanted }) => Math.max(0, Math.min(wanted, limit - used)),
    mayAct: () => true,
    pollMs: 60_000,
    onFailed: () => undefined,
    onIdle: () => undefined,
  });
}

function harness(maxInFlight = 100, runCommand?: (job: CommandJob) => Promise<string>, executionMs = 1_000) {
  const runs: Run[] = [];
  const counts: RunCount[] = [];
  const execute = (invocation: Invocation): Promise<Outcome> =>
    new Promise((resolve) => {
      let open = invocation.entryCount;
      runs.push({
        invocation,
        end({ done = [], filtered = [], failed = [], results = null }, commands = 1) {
          invocation.onEnded({ done, filtered, failed, results });
          open -= done.length + filtered.length + failed.length;
          if (open === 0) resolve({ done: 0, filtered: 0, failed: 0, executions: 0, commands, durationMs: 1 });
        },
      });
    });
  const options = {
    execute,
    loadable: async (functionName: string, version: number) => ({ functionName, version }) as LoadableVersion,
    queue: { runCommand: runCommand ?? (async () => '*0\r\n') },
    journal: { count: (_id: string, run: RunCount) => void counts.push(run) },
    access: { tagOf: () => 'tag' },
    settings: { delivery: { maxInFlight }, limits: { executionMs } },
    permits: permitsInMemory(),
    log: pino({ level: 'silent' }),
  } as unknown as CommandTriggerOptions;
  const trigger = createCommandTrigger(options);
  const replies: string[] = [];
  return {
    trigger,
    runs,
    counts,
    replies,
    call: (name: string, ...args: string[]) => {
      const all = [name, ...args];
      const text = `*${all.length}\r\n${all.map((arg) => `$${arg.length}\r\n${arg}\r\n`).join('')}`;
      trigger.call(name, text, (reply) => replies.push(reply));
    },
    tick,
  };
}

interface Options {
  readonly mode?: DeliveryMode;
  readonly inorder?: boolean;
  readonly version?: number;
  readonly state?: ActiveRegistration['state'];
  readonly concurrency?: number;
}

function registration(trigger: string, options: Options = {}): ActiveRegistration {
  const { mode = 'async_local', inorder = false, version = 1, state = 'running', concurrency } = options;
  return {
    functionName: 'f',
    version,
    state,
    stateReason: state === 'running' ? null : 'by hand',
    routes: [],
    spec: {
      index: 0,
      id: `f/command/${trigger}`,
      reader: 'CommandReader',
      description: null,
      mode,
      trigger: { kind: 'command', trigger, inorder },
      steps: [],
      convertToStr: true,
      collect: true,
      hasOnRegistered: false,
      ...(concurrency === undefined ? {} : { flow: { filter: null, rate: null, concurrency, keyed: false } }),
    },
  };
}

const failure = (index: number, kind: FailureKind, message = 'went wrong') => ({
  index,
  kind,
  error: { code: 'GUEST_ERROR', name: 'TypeError', message, stack: 'TypeError: x\n    at run (f.js:2:7)\n' },
});

test('the calls of one tick travel in one invocation and get their own replies', async () => {
  const { trigger, runs, replies, call, tick, counts } = harness();
  await trigger.apply([registration('t')]);
  call('t', 'a');
  call('t', 'b');
  call('t', 'c');
  await tick();
  expect(runs).toHaveLength(1);
  const { payload, entryCount, shape, wantResults, executionSize, ordered } = (runs[0] as Run).invocation;
  expect([entryCount, shape, wantResults, executionSize, ordered]).toEqual([3, 'command', true, 1, false]);
  expect(payload.startsWith('*3\r\n*2\r\n$1\r\nt\r\n$1\r\na\r\n*2')).toBe(true);
  runs[0]?.end({ done: [2, 0], filtered: [1], results: ['*1\r\n+c\r\n', '*1\r\n+a\r\n', '*0\r\n'] });
  await tick();
  expect(replies).toEqual(['*1\r\n+c\r\n', '*1\r\n+a\r\n', '*0\r\n']);
  expect(counts[0]).toEqual({ triggered: 3 });
  expect(counts[1]).toMatchObject({ success: 3, failures: 0, lastError: null });
});

test.each([
  ['sync', false, true],
  ['async_local', true, true],
  ['async_local', false, false],
] as const)('mode %s with inorder %s has one batch at a time: %s', async (mode, inorder, isOrdered) => {
  const { trigger, runs, call, tick } = harness();
  await trigger.apply([registration('t', { mode, inorder })]);
  call('t', '1');
  await tick();
  call('t', '2');
  call('t', '3');
  await tick();
  expect(runs).toHaveLength(isOrdered ? 1 : 2);
  runs[0]?.end({ done: [0], results: ['*0\r\n'] });
  await tick();
  expect(runs).toHaveLength(2);
  expect(runs[1]?.invocation.entryCount).toBe(2);
  expect(runs[1]?.invocation.ordered).toBe(isOrdered);
});

test('an unknown trigger, a paused one and a full one answer an error at once', async () => {
  const { trigger, replies, call } = harness(2);
  await trigger.apply([registration('t'), registration('p', { state: 'paused' })]);
  call('nobody');
  call('p');
  for (let n = 0; n < 3; n += 1) call('t');
  expect(replies).toEqual([
    '-ERR subcommand not found\r\n',
    '-ERR [REGISTRATION_STOPPED] registration f/command/p is paused: by hand\r\n',
    expect.stringMatching(/^-ERR \[LIMIT_CONCURRENCY\] 2 calls of f\/command\/t/),
  ]);
  expect([trigger.has('t'), trigger.has('nobody')]).toEqual([true, false]);
});

test('an error is one line with its code and the place in the source', async () => {
  const { trigger, runs, replies, call, tick, counts } = harness();
  await trigger.apply([registration('t')]);
  call('t');
  await tick();
  runs[0]?.end({ failed: [failure(0, 'guest', 'first\r\nsecond')] });
  expect(replies).toEqual(['-ERR [GUEST_ERROR] TypeError: first second (f.js:2:7)\r\n']);
  expect(counts.at(-1)).toMatchObject({ failures: 1, lastError: 'TypeError: first\r\nsecond' });
});

test('an interrupted call is run again only when no command had been sent', async () => {
  const { trigger, runs, replies, call, tick } = harness();
  await trigger.apply([registration('t')]);
  call('t', 'harmless');
  await tick();
  runs[0]?.end({ failed: [failure(0, 'interrupted')] }, 0);
  await tick();
  expect(runs).toHaveLength(2);
  expect(runs[1]?.invocation.payload).toContain('harmless');
  runs[1]?.end({ failed: [failure(0, 'interrupted')] }, 5);
  await tick();
  expect(runs).toHaveLength(2);
  expect(replies).toEqual([expect.stringMatching(/^-ERR \[SANDBOX_DIED\] interrupted: .* in part/)]);
});

test('what is in work ends on the version it began with, what waits goes to the new one', async () => {
  const { trigger, runs, replies, call, tick } = harness();
  await trigger.apply([registration('t', { mode: 'sync' })]);
  call('t', 'old');
  await tick();
  call('t', 'new');
  await trigger.apply([registration('t', { mode: 'sync', version: 2 })]);
  runs[0]?.end({ done: [0], results: ['+1\r\n'] });
  await tick();
  expect(runs.map(({ invocation }) => invocation.target.version)).toEqual([1, 2]);
  runs[1]?.end({ done: [0], results: ['+2\r\n'] });
  await tick();
  expect(replies).toEqual(['+1\r\n', '+2\r\n']);
});

test('a removed registration refuses what waits and lets what runs end', async () => {
  const { trigger, runs, replies, call, tick } = harness();
  await trigger.apply([registration('t', { mode: 'sync' })]);
  call('t', 'running');
  await tick();
  call('t', 'waiting');
  await trigger.apply([]);
  call('t', 'late');
  expect(replies).toEqual(['-ERR subcommand not found\r\n', '-ERR subcommand not found\r\n']);
  runs[0]?.end({ done: [0], results: ['+done\r\n'] });
  await tick();
  expect(replies.at(-1)).toBe('+done\r\n');
});

test('mode async goes through the queue and runs on the node that takes the job', async () => {
  const jobs: CommandJob[] = [];
  const { trigger, runs, replies, call, tick } = harness(100, async (job) => {
    jobs.push(job);
    return trigger.runCommand(job, new AbortController().signal);
  });
  await trigger.apply([registration('t', { mode: 'async' })]);
  call('t', '\xff\x00');
  await tick();
  expect(jobs).toHaveLength(1);
  expect(runs[0]?.invocation.payload).toContain('$2\r\n\xff\x00\r\n');
  runs[0]?.end({ done: [0], results: ['*1\r\n+ok\r\n'] });
  await tick();
  expect(replies).toEqual(['*1\r\n+ok\r\n']);
});

test('draining lets calls in work end and refuses new ones', async () => {
  const { trigger, runs, replies, call, tick } = harness();
  await trigger.apply([registration('t')]);
  call('t', '1');
  await tick();
  const drained = trigger.drain(2_000);
  call('t', '2');
  expect(replies).toEqual([expect.stringMatching(/^-ERR \[NODE_DRAINING\]/)]);
  runs[0]?.end({ done: [0], results: ['+ok\r\n'] });
  await drained;
  expect(replies.at(-1)).toBe('+ok\r\n');
  expect(runs[0]?.invocation.signal.aborted).toBe(true);
});

test('triggers are found by their UTF-8 bytes', async () => {
  const { trigger } = harness();
  await trigger.apply([registration('grüße')]);
  expect(trigger.has(Buffer.from('grüße').toString('latin1'))).toBe(true);
});

describe('a registration whose work is given up', () => {
  const aborted = (mode: DeliveryMode = 'async_local'): ActiveRegistration => ({
    ...registration('t', { mode, state: 'aborted' }),
    abortsWork: true,
  });

  test('has the calls in work aborted and answers those that wait', async () => {
    const { trigger, runs, replies, call, tick, counts } = harness();
    await trigger.apply([registration('t', { mode: 'sync' })]);
    call('t', 'in work');
    await tick();
    call('t', 'waits');
    await trigger.apply([aborted('sync')]);
    expect(replies).toEqual([expect.stringContaining('[EXECUTION_ABORTED]')]);
    expect(runs[0]?.invocation.signal.aborted).toBe(true);
    runs[0]?.end({ failed: [failure(0, 'interrupted')] }, 0);
    await tick();
    expect(replies).toHaveLength(2);
    expect(replies[1]).toContain('[EXECUTION_ABORTED]');
    expect(counts.at(-1)).toEqual({ aborted: 1 });
    expect(runs).toHaveLength(1);
  });

  test('has calls in the queue answered once', async () => {
    const late = Promise.withResolvers<string>();
    const { trigger, replies, call, tick } = harness(100, () => late.promise);
    await trigger.apply([registration('t', { mode: 'async' })]);
    call('t');
    await trigger.apply([aborted('async')]);
    expect(replies).toEqual([expect.stringContaining('[EXECUTION_ABORTED]')]);
    late.resolve('*0\r\n');
    await tick();
    expect(replies).toHaveLength(1);
  });

  test('runs calls again once it is running again', async () => {
    const { trigger, runs, call, tick } = harness();
    await trigger.apply([registration('t')]);
    call('t');
    await tick();
    await trigger.apply([aborted()]);
    await trigger.apply([registration('t')]);
    call('t');
    await tick();
    expect(runs.map(({ invocation }) => invocation.signal.aborted)).toEqual([true, false]);
  });
});

describe('with concurrency', () => {
  const done = (count: number) => ({
    done: Array.from({ length: count }, (_none, n) => n),
    results: Array.from({ length: count }, () => '*0\r\n'),
  });

  test('so many calls run at once, and the next begin as those end', async () => {
    const { trigger, runs, replies, call } = harness();
    await trigger.apply([registration('t', { concurrency: 3 })]);
    for (const name of ['a', 'b', 'c', 'd', 'e']) call('t', name);
    await tick();
    expect(runs.map(({ invocation }) => invocation.entryCount)).toEqual([3]);
    runs[0]?.end({ done: [1, 2], results: ['*0\r\n', '*0\r\n'] });
    await tick();
    expect(runs.map(({ invocation }) => invocation.entryCount)).toEqual([3, 2]);
    call('t', 'f');
    await tick();
    expect(runs).toHaveLength(2);
    runs[0]?.end({ done: [0], results: ['*0\r\n'] });
    await tick();
    expect(runs).toHaveLength(3);
    runs[1]?.end(done(2));
    runs[2]?.end(done(1));
    await tick();
    expect(replies).toHaveLength(6);
  });

  test('an ordered lane runs ten calls with one permit', async () => {
    const { trigger, runs, call } = harness();
    await trigger.apply([registration('t', { mode: 'sync', concurrency: 4 })]);
    for (let n = 0; n < 12; n += 1) call('t', String(n));
    await tick();
    expect(runs.map(({ invocation }) => invocation.entryCount)).toEqual([10]);
    runs[0]?.end(done(10));
    await tick();
    expect(runs.map(({ invocation }) => invocation.entryCount)).toEqual([10, 2]);
  });

  test('calls of mode async run on the node that took them', async () => {
    const { trigger, runs, call } = harness(100, async () => '+from the queue\r\n');
    await trigger.apply([registration('t', { mode: 'async', concurrency: 1 })]);
    call('t', 'a');
    await tick();
    expect(runs).toHaveLength(1);
  });

  test('a call that waits too long for its turn hears so, and those behind it go on waiting', async () => {
    const { trigger, runs, replies, call } = harness(100, undefined, 40);
    await trigger.apply([registration('t', { concurrency: 1 })]);
    call('t', 'a');
    await tick();
    call('t', 'b');
    await waitFor(() => replies.length === 1, { what: 'b is answered' });
    expect(replies[0]).toMatch(
      /^-ERR \[CONCURRENCY_LIMITED\] f\/command\/t runs 1 call at once in the whole fleet, and the call did not get its turn within 40ms/,
    );
    call('t', 'c');
    runs[0]?.end(done(1));
    await waitFor(() => runs.length === 2, { what: 'c runs' });
    expect(runs[1]?.invocation.payload).toContain('c');
  });

  test('a pause answers those that wait; who calls after it begins where permits are', async () => {
    const { trigger, runs, replies, call } = harness();
    await trigger.apply([registration('t', { concurrency: 1 })]);
    call('t', 'a');
    await tick();
    call('t', 'b');
    await tick();
    await trigger.apply([registration('t', { concurrency: 1, state: 'paused' })]);
    expect(replies).toEqual([expect.stringContaining('REGISTRATION_STOPPED')]);
    await trigger.apply([registration('t', { concurrency: 1 })]);
    call('t', 'c');
    await tick();
    expect(runs).toHaveLength(1);
    runs[0]?.end(done(1));
    await tick();
    expect(runs).toHaveLength(2);
  });

  test('calls that were interrupted before any command run again with the permits they have', async () => {
    const { trigger, runs, call } = harness();
    await trigger.apply([registration('t', { concurrency: 1 })]);
    call('t', 'a');
    call('t', 'b');
    await tick();
    runs[0]?.end({ failed: [failure(0, 'interrupted')] }, 0);
    await tick();
    expect(runs.map(({ invocation }) => invocation.entryCount)).toEqual([1, 1]);
    expect(runs[1]?.invocation.payload).toContain('a');
    runs[1]?.end(done(1));
    await tick();
    expect(runs).toHaveLength(3);
  });
});
