import { fileURLToPath } from 'node:url';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { PlatformError } from '../../../functions/errors.ts';
import { createSchedulerKeys } from '../../../scheduler/keys.ts';
import type { AsyncQueue, AsyncQueueHandlers, EntriesJob } from '../../../scheduler/queues/async-queue.ts';
import { createAsyncQueue } from '../../../scheduler/queues/create-async-queue.ts';
import { endChild, spawnTracked } from '../../support/children.ts';
import { startRedis, type TestRedis } from '../../support/redis.ts';
import { waitFor } from '../../support/wait.ts';
import { plainAccess } from '../fleet/plain-access.ts';

const keys = createSchedulerKeys('rg:');
const log = pino({ level: 'silent' });
const SETTINGS = { heartbeatMs: 100, heartbeatTimeoutMs: 600, convergeMs: 1_000 };

let server: TestRedis;
let queues: AsyncQueue[];

beforeEach(async () => {
  server = await startRedis();
  queues = [];
});

afterEach(async () => {
  await Promise.all(queues.map((queue) => queue[Symbol.asyncDispose]()));
  await server[Symbol.asyncDispose]();
});

function makeQueue(handlers?: Partial<AsyncQueueHandlers>, concurrency = 10): AsyncQueue {
  const queue = createAsyncQueue({ access: plainAccess(server), keys, settings: SETTINGS, concurrency, log });
  queues.push(queue);
  const never = () => new Promise<never>(() => {});
  if (handlers) queue.start({ runEntries: never, runCommand: never, ...handlers });
  return queue;
}

function entries(ids: readonly string[], round = 1): EntriesJob {
  return { kind: 'entries', registrationId: 'f/stream/s:*', stream: 's:\xff1', ids, readBy: 'n0', round };
}

function call(callId: string, trigger = 'greet') {
  return { kind: 'command', callId, trigger, args: 'AAEC' } as const;
}

/** A node in a process of its own that has taken the jobs `count` times and hangs in them. */
async function startHangingNode(count: number): Promise<() => Promise<void>> {
  const script = fileURLToPath(new URL('./hanging-node.ts', import.meta.url));
  const child = spawnTracked(process.execPath, [script, String(server.port)], { stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  child.stdout?.on('data', (chunk: Buffer) => {
    text += chunk.toString();
  });
  await waitFor(() => text.split('took').length - 1 === count, { what: 'the other node took the jobs' });
  return () => endChild(child, 'SIGKILL');
}

describe('entries', () => {
  test('reach a handler as they were added, on any node', async () => {
    const seen: EntriesJob[] = [];
    const runEntries = async (job: EntriesJob) => void seen.push(job);
    makeQueue({ runEntries });
    makeQueue({ runEntries });
    const jobs = Array.from({ length: 50 }, (_, index) => entries([`${index}-0`, `${index}-1`]));
    await makeQueue().addEntries(jobs);
    await waitFor(() => seen.length === 50, { what: 'all jobs' });
    expect(seen.sort((a, b) => Number.parseInt(a.ids[0] ?? '', 10) - Number.parseInt(b.ids[0] ?? '', 10))).toEqual(
      jobs,
    );
  });

  test('the same job added again does nothing, a new round is a new job', async () => {
    const rounds: number[] = [];
    const queue = makeQueue({ runEntries: async (job) => void rounds.push(job.round) });
    await queue.addEntries([entries(['1-0']), entries(['1-0'])]);
    await waitFor(() => rounds.length === 1, { what: 'round 1' });
    await queue.addEntries([entries(['1-0'])]);
    await queue.addEntries([entries(['1-0'], 2)]);
    await waitFor(() => rounds.includes(2), { what: 'round 2' });
    expect(rounds).toEqual([1, 2]);
  });

  test('a rejected handler gets the job again', async () => {
    let starts = 0;
    const queue = makeQueue({
      async runEntries() {
        starts++;
        if (starts < 3) throw new PlatformError('REDIS_LINK_LOST', 'link lost');
      },
    });
    await queue.addEntries([entries(['1-0'])]);
    await waitFor(() => starts === 3, { what: 'third start' });
  });

  test('a killed node loses its jobs to another one about when its heartbeat expires', async () => {
    await makeQueue().addEntries([entries(['1-0']), entries(['2-0'])]);
    const kill = await startHangingNode(2);
    const seen: string[] = [];
    makeQueue({ runEntries: async (job) => void seen.push(job.ids[0] ?? '') });
    await kill();
    const killedMs = performance.now();
    await waitFor(() => seen.length === 2, { what: 'both jobs on the other node' });
    expect(performance.now() - killedMs).toBeLessThan(SETTINGS.heartbeatTimeoutMs + 1_000);
    expect(seen.sort()).toEqual(['1-0', '2-0']);
  });

  test('draining aborts what does not end in time, and the job goes to another node', async () => {
    let taken = false;
    const slow = makeQueue({
      runEntries: (_job, signal) =>
        new Promise((_resolve, reject) => {
          taken = true;
          signal.addEventListener('abort', () => reject(new PlatformError('NODE_DRAINING', 'stopping')));
        }),
    });
    await slow.addEntries([entries(['1-0'])]);
    await waitFor(() => taken, { what: 'job taken' });
    await slow.drain(50);
    let done = false;
    makeQueue({
      async runEntries() {
        done = true;
      },
    });
    await waitFor(() => done, { what: 'job on the other node' });
  });

  test('a job that takes longer than the heartbeat time-out stays where it is', async () => {
    const starts: string[] = [];
    const slowly = (name: string) => async () => {
      starts.push(name);
      const startMs = performance.now();
      await waitFor(() => performance.now() - startMs > 2 * SETTINGS.heartbeatTimeoutMs, { what: 'time passed' });
      starts.push(`${name} done`);
    };
    const queue = makeQueue({ runEntries: slowly('a') });
    await queue.addEntries([entries(['1-0'])]);
    await waitFor(() => starts.length === 1, { what: 'a started' });
    makeQueue({ runEntries: slowly('b') });
    await waitFor(() => starts.length === 2, { what: 'a done' });
    expect(starts).toEqual(['a', 'a done']);
  });
});

describe('commands', () => {
  test('are answered with the bytes that the other node returned', async () => {
    makeQueue({ runCommand: async (job) => `*1\r\n$3\r\n\x00\xff${job.args[0]}\r\n` });
    const asking = makeQueue();
    expect(await asking.runCommand(call('n0:1'), 5_000)).toBe('*1\r\n$3\r\n\x00\xffA\r\n');
  });

  test('many at once are all answered, each with its own reply', async () => {
    const runCommand = async (job: { trigger: string }) => `+${job.trigger}\r\n`;
    makeQueue({ runCommand }, 20);
    const asking = makeQueue({ runCommand }, 20);
    const replies = await Promise.all(
      Array.from({ length: 200 }, (_, index) => asking.runCommand(call(`n0:${index}`, `t${index}`), 10_000)),
    );
    expect(replies).toEqual(Array.from({ length: 200 }, (_, index) => `+t${index}\r\n`));
  });

  test('that nobody takes time out and do not run afterwards', async () => {
    const asking = makeQueue();
    await expect(asking.runCommand(call('late'), 100)).rejects.toMatchObject({ code: 'CALL_TIMED_OUT' });
    const client = server.client();
    await waitFor(async () => (await client.llen('rg:{queue}:commands:wait')) === 0, { what: 'taken back' });
    const ran: string[] = [];
    const runCommand = async (job: { callId: string }) => {
      ran.push(job.callId);
      return '+OK\r\n';
    };
    makeQueue({ runCommand });
    await asking.runCommand(call('next'), 5_000);
    expect(ran).toEqual(['next']);
  });

  test('of a killed node are answered by another one', async () => {
    const asking = makeQueue();
    const reply = asking.runCommand(call('n0:1'), 10_000);
    const kill = await startHangingNode(1);
    makeQueue({ runCommand: async () => '+other\r\n' });
    await kill();
    expect(await reply).toBe('+other\r\n');
  });

  test('that no node can run are answered with the error after some attempts', async () => {
    let starts = 0;
    const asking = makeQueue({
      async runCommand() {
        starts++;
        throw new PlatformError('SANDBOX_DIED', 'no sandbox', { retryable: true });
      },
    });
    await expect(asking.runCommand(call('n0:1'), 10_000)).rejects.toMatchObject({
      code: 'SANDBOX_DIED',
      message: 'no sandbox',
      retryable: true,
    });
    expect(starts).toBe(4);
  });

  test('wait through an outage of Redis', async () => {
    const asking = makeQueue({ runCommand: async () => '+back\r\n' });
    expect(await asking.runCommand(call('n0:1'), 5_000)).toBe('+back\r\n');
    await server.kill();
    const reply = asking.runCommand(call('n0:2'), 10_000);
    await server.restart();
    expect(await reply).toBe('+back\r\n');
  });

  test('of a node that is closed meanwhile are refused', async () => {
    const asking = makeQueue();
    const reply = asking.runCommand(call('n0:1'), 10_000);
    reply.catch(() => {});
    await asking[Symbol.asyncDispose]();
    await expect(reply).rejects.toMatchObject({ code: 'NODE_DRAINING' });
  });
});
