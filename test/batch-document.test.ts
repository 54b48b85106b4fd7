import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type PlatformProcess, startPlatformProcess } from './support/platform.ts';
import { startRedis, type TestRedis } from './support/redis.ts';

const text = readFileSync(new URL('../docs/batch.md', import.meta.url), 'utf8');
const [, data = ''] = /<!-- test: data -->\n```sh\n(.*?)```/s.exec(text) ?? [];
const runs = [...text.matchAll(/<!-- test: run -->\n```js\n(.*?)```\n\n```json\n(.*?)```/gs)].map(
  ([, script = '', results = '']) => ({ script, results: JSON.parse(results) as unknown[] }),
);

let redis: TestRedis;
let platform: PlatformProcess;
beforeAll(async () => {
  redis = await startRedis();
  platform = await startPlatformProcess({ redisUrl: redis.url });
  for (const line of data.trim().split('\n')) {
    const [command = '', ...args] = line.split(' ');
    await platform.door.call(command, ...args);
  }
});
afterAll(async () => {
  await platform?.[Symbol.asyncDispose]();
  await redis?.[Symbol.asyncDispose]();
});

test('the document on batch runs has runs to show', () => {
  expect(runs.length).toBe(3);
});

test.each(runs)('it gives what the document says: $script', async ({ script, results }) => {
  const [seen, errors] = (await platform.door.call('RG.JSEXECUTE', script)) as [string[], string[]];
  expect(errors).toEqual([]);
  expect(seen.map((one) => JSON.parse(one) as unknown)).toEqual(results);
});

test('the commands it names are commands of the platform', async () => {
  const named = [...new Set([...text.matchAll(/RG\.[A-Z]+/g)].map(([name]) => name))];
  for (const name of named) {
    const answer = await platform.door.call(name).catch((error: Error) => error.message);
    expect(`${name}: ${String(answer)}`).not.toMatch(/unknown command/i);
  }
});
