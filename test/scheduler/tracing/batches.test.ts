import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { connectRedis, encodeCommand, PlatformError, type RedisAccess } from '#functions';
import type { CommandWays, Invocation, Outcome } from '#runtime';
import { createTracing } from '../../../scheduler/tracing/create-tracing.ts';
import type { Execute, Tracing } from '../../../scheduler/tracing/tracing.ts';
import { sharedRedis } from '../../support/shared-redis.ts';
import { waitFor } from '../../support/wait.ts';
import { CLIENT, CONSUMER, type Collector, ERROR, INTERNAL, type Span, startCollector } from './support/collector.ts';

const redis = sharedRedis();
const log = pino({ level: 'silent' });
const OUTCOME: Outcome = { done: 0, filtered: 0, failed: 0, executions: 1, commands: 0, durationMs: 1 };
const PARENT = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';

let collector: Collector;
let access: RedisAccess;
let tracing: Tracing;

beforeAll(async () => {
  collector = await startCollector();
  access = await connectRedis({ url: redis.url, log });
});
beforeEach(() => {
  collector.spans.length = 0;
  tracing = start(1);
});
afterEach(() => tracing[Symbol.asyncDispose]());
afterAll(async () => {
  await access?.[Symbol.asyncDispose]();
  collector?.[Symbol.dispose]();
});

function start(ratio: number): Tracing {
  const settings = { endpoint: `${collector.url}/v1/traces`, ratio, queue: 1_000 };
  return createTracing({ settings, nodeId: 'n', version: '1', commands: access.commands, log });
}

const entry = (id: string, ...fields: string[]): string => `*2\r\n$${id.length}\r\n${id}\r\n${encodeCommand(fields)}`;

function invocation(more: Partial<Invocation> = {}): Invocation {
  const entries = [entry('1-1', 'a', 'b'), entry('1-2', 'a', 'c')];
  return {
    target: { functionName: 'f', version: 3 } as never,
    ...{ registrationIndex: 0, registrationId: 'f/stream/s', shape: 'stream', key: 's', hashtag: '' },
    ...{ payload: `*2\r\n${entries.join('')}`, entryCount: 2, executionSize: 1, ordered: false, wantResults: false },
    onEnded: () => undefined,
    signal: new AbortController().signal,
    ...more,
  };
}

/** Ways to a Redis that answers so. */
function ways(send: CommandWays['effects']['send']): CommandWays {
  return { effects: { send, [Symbol.asyncDispose]: async () => undefined } } as unknown as CommandWays;
}

const ROUND = { commands: encodeCommand(['SET', 'k', 'v']), count: 1, owners: [0], groups: [], withheld: null };
const ended = (done: number[]) => ({ done, filtered: [], failed: [], results: null });

async function spans(count: number): Promise<readonly Span[]> {
  await waitFor(() => collector.spans.length >= count, { what: `${count} spans` });
  return collector.spans;
}

describe('events without a traceparent', () => {
  test.each(['stream', 'keys'] as const)(
    'begin traces of their own, with the share that is asked for: %s',
    async (shape) => {
      const run = tracing.tracing(async (watched) => {
        watched.onEnded(ended([0, 1]));
        return OUTCOME;
      });
      await run(invocation({ shape }));
      const found = await spans(4);
      const roots = found.filter(({ kind }) => kind === CONSUMER);
      expect(roots.map(({ parentSpanId }) => parentSpanId)).toEqual(['', '']);
      expect(new Set(found.map(({ traceId }) => traceId)).size).toBe(2);
    },
  );

  test('begin none where no share is given: the batch is handed on as it is', async () => {
    await using none = start(0);
    const given = invocation();
    const seen: Invocation[] = [];
    const run = none.tracing(async (watched) => {
      seen.push(watched);
      return OUTCOME;
    });
    await run(given);
    await run(invocation({ shape: 'command', traceOf: () => undefined }));
    await run(invocation({ payload: `*2\r\n${entry('1-1', 'note', 'traceparent')}${entry('1-2', 'x', PARENT)}` }));
    expect(seen[0]).toBe(given);
    expect(seen.map((one) => one.ways)).toEqual([undefined, undefined, undefined]);
  });
});

describe('a batch that is watched', () => {
  test('hears at once of what the sandbox may not say, and of lost links as the engine does', async () => {
    const breach = new PlatformError('SANDBOX_PROTOCOL', 'no commands at all');
    const lost = new PlatformError('REDIS_LINK_LOST', 'gone');
    const run = tracing.tracing(async (watched) => {
      const broken = watched.ways?.(
        ways(() => {
          throw breach;
        }),
      );
      expect(() => broken?.effects.send({ ...ROUND, commands: 'nonsense' })).toThrow(breach);
      const away = watched.ways?.(ways(() => Promise.reject(lost)));
      await expect(away?.effects.send(ROUND)).rejects.toBe(lost);
      watched.onEnded(ended([0, 1]));
      return OUTCOME;
    });
    expect(await run(invocation())).toBe(OUTCOME);
    const [command] = (await spans(5)).filter(({ kind }) => kind === CLIENT);
    expect([command?.attributes['error.type'], command?.status.code]).toEqual(['REDIS_LINK_LOST', ERROR]);
  });

  test('gets replies and ends as they are, also where a trace of them cannot be written', async () => {
    const heard: unknown[] = [];
    const run = tracing.tracing(async (watched) => {
      const own = watched.ways?.(ways(async () => 'not RESP'));
      heard.push(await own?.effects.send(ROUND));
      watched.onEnded(ended([0]));
      watched.onEnded(ended([1]));
      return OUTCOME;
    });
    await run(invocation({ onEnded: (one) => heard.push([...(one.done as number[])]) }));
    expect(heard).toEqual(['not RESP', [0], [1]]);
    expect((await spans(4)).filter(({ kind }) => kind === INTERNAL)).toHaveLength(2);
  });

  test('in order, has executions that begin when the one before has ended', async () => {
    const run = tracing.tracing(async (watched) => {
      const own = watched.ways?.(ways(async () => '+OK\r\n'));
      await own?.effects.send(ROUND);
      watched.onEnded(ended([0]));
      await own?.effects.send({ ...ROUND, owners: [1] });
      watched.onEnded(ended([1]));
      return OUTCOME;
    });
    await run(invocation({ ordered: true }));
    const [first, second] = (await spans(6)).filter(({ kind }) => kind === INTERNAL);
    expect((second?.begin ?? 0n) >= (first?.end ?? 1n)).toBe(true);
  });

  test('that is given up as a whole leaves no span open, and its error is the caller’s', async () => {
    const gone = new PlatformError('RUNTIME_CLOSED', 'closed');
    const run: Execute = tracing.tracing(() => Promise.reject(gone));
    await expect(run(invocation())).rejects.toBe(gone);
    const found = await spans(2);
    expect(found.map(({ attributes }) => attributes['regears.end'])).toEqual(['interrupted', 'interrupted']);
  });
});
