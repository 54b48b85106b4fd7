import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type PlatformProcess, startPlatformProcess } from './support/platform.ts';
import { startRedis, type TestRedis } from './support/redis.ts';
import { waitFor } from './support/wait.ts';

const text = readFileSync(new URL('../docs/flow-control.md', import.meta.url), 'utf8');
const programs = [...text.matchAll(/```js\n(.*?)```/gs)].map(([, program = '']) => program);

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

/** Loads the example that hands its events to `name`, with what the document does not show: such functions. */
async function load(name: string, unshown: string): Promise<void> {
  const program = programs.find((one) => one.includes(`foreach(${name})`));
  expect(program).toBeDefined();
  await platform.door.call('RG.FUNCTION', 'LOAD', name, `${unshown}\n${program}`);
}

/** A function of this name that keeps what it gets in a list. */
function keeper(name: string): string {
  return `const ${name} = (r) => execute('RPUSH', 'ran:${name}', JSON.stringify(r.value));`;
}

async function ranBy(name: string, count: number): Promise<unknown[]> {
  const list = (): Promise<string[]> => redis.client().lrange(`ran:${name}`, 0, -1);
  await waitFor(async () => (await list()).length >= count, { what: `${count} events of ${name} have run` });
  return (await list()).map((one) => JSON.parse(one) as unknown);
}

test('the example of filter lets through what it says', async () => {
  const good = [
    { status: 'paid', amount: '100', country: 'DE' },
    { status: 'settled', amount: '999.5', country: 'FR' },
  ];
  const bad = [
    { ...good[0], status: 'open' },
    { ...good[0], amount: '99.9' },
    { ...good[0], amount: '1000' },
    { ...good[0], country: 'XX' },
    { status: 'paid', amount: '100' },
    { ...good[0], coupon: 'x' },
  ];
  for (const order of [...bad, ...good]) await platform.door.xadd('orders:1', '*', ...Object.entries(order).flat());
  await load('bill', keeper('bill'));
  expect(await ranBy('bill', 2)).toEqual(good);
});

test('the example of rateLimit runs', async () => {
  await platform.door.lpush('mails', 'a', 'b');
  await load('send', keeper('send'));
  expect((await ranBy('send', 2)).toSorted()).toEqual(['a', 'b']);
});

test('the example of key keeps the order of each account', async () => {
  for (let n = 0; n < 40; n += 1) await platform.door.xadd('ledger', '*', 'account', `a${n % 4}`, 'n', String(n));
  await load('apply', keeper('apply'));
  const ran = (await ranBy('apply', 40)) as { account: string; n: string }[];
  for (const [account, entries] of Map.groupBy(ran, (one) => one.account)) {
    const expected = Array.from({ length: 10 }, (_, n) => String(n * 4 + Number(account.slice(1))));
    expect(entries.map(({ n }) => n)).toEqual(expected);
  }
});

test('the example of concurrency runs no more at once than it says', async () => {
  const calling = `const callPartner = async () => {
    await execute('ZADD', 'calls', 'GT', await execute('INCR', 'open'), 'most');
    for (let n = 0; n < 5; n += 1) await execute('PING');
    await execute('DECR', 'open');
    await execute('INCR', 'called');
  };`;
  for (let n = 0; n < 60; n += 1) await platform.door.xadd(`orders:${n % 3}`, '*', 'n', String(n));
  const written = (await platform.door.xlen('orders:1')) + 40;
  await load('callPartner', `${calling} ${keeper('rebuild')}`);
  const called = (): Promise<string | null> => redis.client().get('called');
  await waitFor(async () => Number(await called()) === written, { what: 'every order has been looked at' });
  const most = Number(await redis.client().zscore('calls', 'most'));
  expect(most).toBeGreaterThan(1);
  expect(most).toBeLessThanOrEqual(5);
});

test('the example of key runs calls of one account one after another', async () => {
  const transfer = `async function transfer([, account, n]) {
    const open = await execute('INCR', 'open:' + account);
    await execute('RPUSH', 'transfers', account + n + ' ' + open);
    await execute('DECR', 'open:' + account);
  }`;
  await load('transfer', transfer);
  const calls = Array.from({ length: 40 }, (_, n) =>
    platform.door.call('RG.TRIGGER', 'transfer', n % 2 ? 'a' : 'b', n),
  );
  await Promise.all(calls);
  const transfers = await redis.client().lrange('transfers', 0, -1);
  const ofA = Array.from({ length: 20 }, (_, n) => `a${2 * n + 1} 1`);
  expect(transfers.filter((one) => one.startsWith('a'))).toEqual(ofA);
});

test('the document has no other examples', () => {
  const named = programs.map((program) => /foreach\((\w+)\)/.exec(program)?.[1]);
  expect(named.filter((name) => !['bill', 'send', 'apply', 'callPartner', 'transfer'].includes(name ?? ''))).toEqual(
    [],
  );
});
