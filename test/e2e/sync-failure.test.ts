import { afterAll, beforeAll, expect, test } from 'vitest';
import { type PlatformProcess, startPlatformProcess } from '../support/platform.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';
import { waitFor } from '../support/wait.ts';
import { loadFunction, registrationRow } from './topology.ts';

const ENTRIES = 120;
const BAD = 7;

let redis: TestRedis;
let platform: PlatformProcess;

beforeAll(async () => {
  redis = await startRedis();
  platform = await startPlatformProcess({ redisUrl: redis.url });
});
afterAll(async () => {
  await platform?.[Symbol.asyncDispose]();
  await redis?.[Symbol.asyncDispose]();
});

/** Logs each run of an entry in order; entry 7 of the stream `<name>:bad` fails as `failure` says. */
function source(name: string, failure: string, rest: string): string {
  return `new GB('StreamReader').foreach(async (r) => {
    await execute('RPUSH', 'log:' + r.key, r.value.n);
    if (r.key !== '${name}:bad' || r.value.n !== '${BAD}') return;
    const tries = await execute('INCR', 'tries:${name}');
    ${failure}
  }).register({ prefix: '${name}:*', mode: 'sync', batch: 50, onFailedRetryInterval: 0.02, ${rest} });`;
}

async function fill(name: string): Promise<void> {
  const pipeline = redis.client().pipeline();
  for (let n = 0; n < ENTRIES; n += 1) {
    for (const stream of ['bad', 'good']) pipeline.xadd(`${name}:${stream}`, '*', 'n', String(n));
  }
  await pipeline.exec();
}

async function logOf(stream: string): Promise<number[]> {
  return (await redis.client().lrange(`log:${stream}`, 0, -1)).map(Number);
}

async function finished(stream: string, count: number): Promise<void> {
  await waitFor(async () => (await logOf(stream)).length === count, {
    what: `${stream} is through`,
  });
}

async function load(name: string, failure: string, rest: string): Promise<string> {
  const { ids } = await loadFunction(platform.door, name, source(name, failure, rest));
  return ids[0] ?? '';
}

const status = async (id: string): Promise<unknown> => (await registrationRow(platform.door, id)).get('status');
const deadLetters = async (name: string): Promise<unknown[]> =>
  (await platform.door.call('RG.DEADLETTERS', 'LIST', 'FUNCTION', name)) as unknown[];

/** 0, 1, … with entry 7 in it so many times in all. */
function expectedLog(runsOfBad: number): number[] {
  return Array.from({ length: ENTRIES }, (_, n) => (n === BAD ? new Array<number>(runsOfBad).fill(n) : [n])).flat();
}

test('nothing behind an entry that is to be retried runs before it has succeeded; other streams go on', async () => {
  await fill('again');
  const failure = `if (tries <= 2 || !(await execute('EXISTS', 'gate:again'))) throw new Error('not yet');`;
  const id = await load('again', failure, "onFailedPolicy: 'retry', maxAttempts: 0");
  await finished('again:good', ENTRIES);
  await waitFor(async () => Number(await redis.client().get('tries:again')) >= 2, { what: 'two failures' });
  await waitFor(async () => (await status(id)) === 'WAITING_FOR_RETRY_ON_FAILURE', { what: 'the status says so' });
  expect(new Set(await logOf('again:bad'))).toEqual(new Set(Array.from({ length: BAD + 1 }, (_, n) => n)));
  await redis.client().set('gate:again', '1');
  await waitFor(async () => (await logOf('again:bad')).at(-1) === ENTRIES - 1, { what: 'the stream goes on' });
  expect(await logOf('again:bad')).toEqual(expectedLog(Number(await redis.client().get('tries:again'))));
  expect(await logOf('again:good')).toEqual(expectedLog(1));
  await waitFor(async () => (await registrationRow(platform.door, id)).get('done') === 2 * ENTRIES, {
    what: 'every entry has its end',
  });
  expect(await status(id)).toBe('OK');
});

test('a stream goes on in order when its failed entry was dead-lettered', async () => {
  await fill('dead');
  await load('dead', `throw new Error('never');`, "onFailedPolicy: 'retry', maxAttempts: 3");
  await finished('dead:bad', ENTRIES + 2);
  expect(await logOf('dead:bad')).toEqual(expectedLog(3));
  await waitFor(async () => (await deadLetters('dead')).length === 1, { what: 'the dead letter' });
});

test('policy continue dead-letters a failed entry and goes on', async () => {
  await fill('goon');
  const id = await load('goon', `throw new Error('never');`, "onFailedPolicy: 'continue'");
  await finished('goon:bad', ENTRIES);
  expect(await logOf('goon:bad')).toEqual(expectedLog(1));
  await waitFor(async () => (await deadLetters('goon')).length === 1, { what: 'the dead letter' });
  expect(await status(id)).toBe('OK');
});

test('policy abort stops the registration until it is unpaused, and nothing is lost or out of order', async () => {
  await fill('stop');
  const id = await load('stop', `if (tries === 1) throw new Error('no further');`, "onFailedPolicy: 'abort'");
  const row = await waitFor(
    async () => {
      const now = await registrationRow(platform.door, id);
      return now.get('state') === 'aborted' ? now : null;
    },
    { what: 'the registration is aborted' },
  );
  expect(row.get('status')).toBe('ABORTED');
  expect(row.get('stateReason')).toContain('no further');
  expect((await logOf('stop:bad')).at(-1)).toBe(BAD);
  expect(await platform.door.call('RG.UNPAUSEREGISTRATIONS', id)).toBe('OK');
  await waitFor(async () => (await registrationRow(platform.door, id)).get('done') === 2 * ENTRIES, {
    what: 'every entry has its end',
  });
  expect(await logOf('stop:bad')).toEqual(expectedLog(2));
  expect(await status(id)).toBe('OK');
});

test('an error that begins with PAUSE pauses the registration, whatever its policy', async () => {
  await fill('rest');
  const id = await load(
    'rest',
    `if (tries === 1) throw new Error('PAUSE upstream is down');`,
    "onFailedPolicy: 'retry'",
  );
  await waitFor(async () => (await status(id)) === 'PAUSED', { what: 'the registration is paused' });
  expect((await registrationRow(platform.door, id)).get('stateReason')).toContain('upstream is down');
  expect((await logOf('rest:bad')).at(-1)).toBe(BAD);
  expect(await platform.door.call('RG.UNPAUSEREGISTRATIONS', id)).toBe('OK');
  await waitFor(async () => (await registrationRow(platform.door, id)).get('done') === 2 * ENTRIES, {
    what: 'every entry has its end',
  });
  expect(await logOf('rest:bad')).toEqual(expectedLog(2));
});
