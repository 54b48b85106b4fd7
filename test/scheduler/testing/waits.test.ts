import { afterAll, beforeAll, expect, test } from 'vitest';
import { commandCall, loadFunction, type TestFunction } from '../../../scheduler/testing/index.ts';

const SOURCE = `
GB('CommandReader').map(async () => {
  const future = createFuture();
  runCoroutine(() => setFutureResults(future, 'met'), { delay: 0.01 });
  await sleep(0.01);
  const first = await future;
  const second = await setFutureResults(future, 'again').catch((error: Error) => error.message);
  return [first, second];
}).register({ trigger: 'meets' });
GB('CommandReader').map(() => GB('KeysReader').count().run('*')).register({ trigger: 'runs' });
`;

let fn: TestFunction;
beforeAll(async () => {
  fn = await loadFunction({ source: SOURCE, replies: {} });
});
afterAll(async () => {
  await fn?.[Symbol.asyncDispose]();
});

test('futures and timers work without a platform', async () => {
  const { results } = await fn.deliver(commandCall('meets'));
  expect(results).toEqual([JSON.stringify(['met', 'Can not continue with the same future twice'])]);
});

test('a run of a handler says that it needs a platform', async () => {
  const { errors } = await fn.deliver(commandCall('runs'));
  expect(errors[0]?.message).toMatch(/run\(…\) within a handler needs a platform/);
});
