import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { commandCall, loadFunction, startRedis } from '../../../scheduler/testing/index.ts';
import { withoutLeaks } from '../../support/leaks.ts';

const PING = `GB('CommandReader').map(() => 'PONG').register({ trigger: 'ping' });`;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'regears-life-'));
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

test('everything a function has opened is closed with it, its own Redis included', async () => {
  await withoutLeaks(async () => {
    await using ping = await loadFunction({ source: PING });
    await ping.deliver(commandCall('ping'), { crash: 'acknowledge' });
    await ping.deliver(commandCall('ping'));
  });
});

test('nothing stays open of a function that does not load', async () => {
  await withoutLeaks(async () => {
    await expect(loadFunction({ source: `throw new Error('no');` })).rejects.toMatchObject({ code: 'GUEST_ERROR' });
    await expect(loadFunction({ source: PING, redis: 'redis://127.0.0.1:1' })).rejects.toMatchObject({
      code: 'REDIS_UNREACHABLE',
    });
  });
});

test('a Redis that was given stays open', async () => {
  await using redis = await startRedis();
  {
    await using ping = await loadFunction({ source: PING, redis });
    await ping.deliver(commandCall('ping'));
  }
  expect(await redis.call('PING')).toBe('PONG');
});

test('deliveries made at once run one after the other, those behind a disposal not at all', async () => {
  const source = `let n = 0; GB('CommandReader').map(() => ++n).register({ trigger: 'next' });`;
  const next = await loadFunction({ source, replies: {} });
  const all = await Promise.all([1, 2, 3].map(() => next.deliver(commandCall('next'))));
  expect(all.map(({ results }) => results)).toEqual([['1'], ['2'], ['3']]);
  const disposed = next[Symbol.asyncDispose]();
  await disposed;
  await expect(next.deliver(commandCall('next'))).rejects.toMatchObject({ code: 'RUNTIME_CLOSED' });
});

test('a file is bundled with what it imports, and shown by its own lines', async () => {
  await writeFile(
    join(folder, 'words.ts'),
    `export function words(text: string): string[] {\n  return text.split(' ');\n}\n`,
  );
  await writeFile(
    join(folder, 'count.ts'),
    `import { words } from './words.ts';\nGB('CommandReader')\n  .map(([, text]) => words(text as string).length)\n  .register({ trigger: 'count' });\n`,
  );
  await using count = await loadFunction({ file: join(folder, 'count.ts'), replies: {} });
  expect(count.name).toBe('count');
  expect(count.manifest.registrations).toMatchObject([{ id: 'count/command/count' }]);
  expect((await count.deliver(commandCall('count', 'a b c'))).results).toEqual(['3']);
  const { errors } = await count.deliver(commandCall('count'));
  expect(errors[0]?.stack).toMatch(/words\.ts:2:15[\s\S]*count\.ts:3:/);
  expect(count.showSource(errors[0]?.stack ?? '')).toContain("> 2 |   return text.split(' ');");
});
