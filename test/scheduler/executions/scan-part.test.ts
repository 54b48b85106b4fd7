import { afterAll, beforeAll, expect, test } from 'vitest';
import { cursorsTellPart, scannedPart } from '../../../scheduler/executions/readers/scan-part.ts';
import { startRedis, type TestRedis } from '../../support/redis.ts';

const KEYS = 20_000;

let redis: TestRedis;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis[Symbol.asyncDispose]());

test('cursors of a server tell how many of its keys have been seen', async () => {
  const client = redis.client();
  await client.eval(`for n = 1, ${KEYS} do redis.call('SET', 'key:' .. n, '') end`, 0);
  let seen = 0;
  let last = 0;
  for (let cursor = ''; cursor !== '0'; ) {
    const [next, keys] = await client.scan(cursor === '' ? '0' : cursor, 'COUNT', 500);
    cursor = next;
    seen += keys.length;
    const part = scannedPart(cursor);
    expect(part).toBeGreaterThan(last);
    expect(Math.abs(part - seen / KEYS)).toBeLessThan(0.03);
    last = part;
  }
  expect(last).toBe(1);
});

test('the greatest cursor is nearly everything', () => {
  expect(scannedPart('18446744073709551615')).toBeCloseTo(1);
  expect(scannedPart('9223372036854775808')).toBeLessThan(1e-15);
});

test.each([
  ['tells', 'redis', '8.2.1', 'single'],
  ['tells', 'redis', '7.2.5', 'cluster'],
  ['tells nothing', 'redis', '7.4.0', 'cluster'],
  ['tells nothing', 'redis', '8.0.0', 'cluster'],
  ['tells nothing', 'valkey', '8.1.0', 'cluster'],
] as const)('%s: a cursor of %s %s, %s', (tells, ...[product, version, topology]) => {
  const facts = { product, version, topology } as Parameters<typeof cursorsTellPart>[0]['facts'];
  expect(cursorsTellPart({ facts })).toBe(tells === 'tells');
});
