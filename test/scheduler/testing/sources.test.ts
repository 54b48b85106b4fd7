import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { commandCall, loadFunction, type TestFunction } from '../../../scheduler/testing/index.ts';

const SOURCE = `
const loadedAt = Date.now();
GB('CommandReader').map(() => [
  Date.now(), new Date().getTime(), new Date(5).getTime(), Date().slice(11, 15),
  new Intl.DateTimeFormat('en', { year: 'numeric', timeZone: 'UTC' }).format(), performance.now() + performance.timeOrigin,
]).register({ trigger: 'times' });
GB('CommandReader').map(() => loadedAt).register({ trigger: 'loadedAt' });
GB('CommandReader').map(([, n]: string[]) => Array.from({ length: Number(n) }, () => Math.random())).register({ trigger: 'dice' });
GB('CommandReader').map(() => { for (;;); }).register({ trigger: 'spin' });
`;

let fn: TestFunction;
beforeAll(async () => {
  fn = await loadFunction({ source: SOURCE, replies: {} });
});
beforeEach(() => {
  fn.clock.release();
  fn.random.release();
  fn.reload();
});
afterAll(async () => {
  await fn?.[Symbol.asyncDispose]();
});

async function ask(trigger: string, ...args: readonly number[]): Promise<unknown> {
  const { results } = await fn.deliver(commandCall(trigger, ...args));
  return JSON.parse(String(results[0]));
}

const NOON = Date.UTC(2030, 0, 1, 12);

describe('the clock of a function', () => {
  test('is the machine’s unless it is set', async () => {
    const before = Date.now();
    const [now] = (await ask('times')) as number[];
    expect(now).toBeGreaterThanOrEqual(before);
    expect(now).toBeLessThanOrEqual(Date.now());
  });

  test('stands where it is set, for everything that tells the time', async () => {
    fn.clock.set('2030-01-01T12:00:00Z');
    expect(await ask('times')).toEqual([NOON, NOON, 5, '2030', '2030', NOON]);
    expect(await ask('loadedAt')).toBe(NOON);
  });

  test('moves when it is advanced, while the function keeps its memory', async () => {
    fn.clock.set(new Date(NOON));
    await ask('loadedAt');
    fn.clock.advance(90_000);
    expect(((await ask('times')) as number[])[0]).toBe(NOON + 90_000);
    expect(await ask('loadedAt')).toBe(NOON);
    fn.clock.release();
    expect(((await ask('times')) as number[])[0]).not.toBe(NOON + 90_000);
  });

  test('stands in a sandbox that takes the place of a killed one', async () => {
    fn.clock.set(NOON);
    await ask('times');
    await fn.kill();
    expect(await ask('loadedAt')).toBe(NOON);
  });

  test('stands in an isolate that takes the place of one that was lost', async () => {
    fn.clock.set(NOON);
    await ask('times');
    fn.clock.advance(5);
    expect((await fn.deliver(commandCall('spin'))).errors).toMatchObject([{ code: 'LIMIT_CALL_TIME' }]);
    expect(await ask('loadedAt')).toBe(NOON + 5);
  });

  test('refuses what is no time', () => {
    expect(() => fn.clock.set('yesterday')).toThrow('"yesterday" is no point in time');
    expect(() => fn.clock.advance(Number.NaN)).toThrow('milliseconds');
  });
});

describe('the dice of a function', () => {
  test('throw one value for ever, or values in turn with each delivery', async () => {
    fn.random.set(0.25);
    expect(await ask('dice', 3)).toEqual([0.25, 0.25, 0.25]);
    fn.random.set([0.1, 0.9]);
    expect(await ask('dice', 3)).toEqual([0.1, 0.9, 0.1]);
    expect(await ask('dice', 1)).toEqual([0.1]);
  });

  test('repeat the sequence of a seed, which goes on from delivery to delivery', async () => {
    const twice = async (): Promise<readonly unknown[]> => {
      fn.reload();
      fn.random.set({ seed: 7 });
      return [await ask('dice', 5), await ask('dice', 5)];
    };
    const [first, second] = await twice();
    expect(first).not.toEqual(second);
    expect(await twice()).toEqual([first, second]);
    fn.random.set({ seed: 8 });
    expect(await ask('dice', 5)).not.toEqual(first);
  });

  test('of a seed are spread evenly', async () => {
    fn.random.set({ seed: 1 });
    const values = (await ask('dice', 10_000)) as number[];
    expect(values.every((value) => value >= 0 && value < 1)).toBe(true);
    const sum = values.reduce((total, value) => total + value, 0);
    expect(Math.abs(sum / values.length - 0.5)).toBeLessThan(0.02);
    expect(new Set(values).size).toBe(values.length);
  });

  test('are chance unless they are set', async () => {
    expect(await ask('dice', 3)).not.toEqual(await ask('dice', 3));
  });

  test('refuse what Math.random() never gives', () => {
    expect(() => fn.random.set(1)).toThrow('from 0 to below 1, not 1');
    expect(() => fn.random.set([0.5, -1])).toThrow('not -1');
    expect(() => fn.random.set([])).toThrow('must not be empty');
    expect(() => fn.random.set({ seed: 0.5 })).toThrow('whole number');
  });
});
