import { expect, test } from 'vitest';
import { createRunLine } from '../../../scheduler/executions/run-line.ts';

const NEVER = new AbortController().signal;

test('so many run at once of each name, the others in their order', async () => {
  const line = createRunLine(2);
  const first = await line.enter('a', NEVER);
  await line.enter('a', NEVER);
  await line.enter('b', NEVER);
  const entered: number[] = [];
  const waiting = [3, 4].map(async (n) => {
    const place = await line.enter('a', NEVER);
    entered.push(n);
    return place;
  });
  first[Symbol.dispose]();
  const third = await waiting[0];
  expect(entered).toEqual([3]);
  third?.[Symbol.dispose]();
  await waiting[1];
  expect(entered).toEqual([3, 4]);
});

test('who gives up while waiting takes no place', async () => {
  const line = createRunLine(1);
  const first = await line.enter('a', NEVER);
  const controller = new AbortController();
  const gone = line.enter('a', controller.signal);
  const stays = line.enter('a', NEVER);
  controller.abort(new Error('enough'));
  await expect(gone).rejects.toThrow('enough');
  first[Symbol.dispose]();
  using _ = await stays;
});

test('draining waits for what is in work, then stops it and whoever waits', async () => {
  const line = createRunLine(1);
  const place = await line.enter('a', NEVER);
  const waiting = line.enter('a', NEVER);
  line.stopped.addEventListener('abort', () => place[Symbol.dispose]());
  const refused = expect(waiting).rejects.toMatchObject({ code: 'NODE_DRAINING' });
  await line.drain(20);
  await refused;
  expect(line.stopped.aborted).toBe(true);
  await expect(line.enter('a', NEVER).then((late) => late[Symbol.dispose]())).resolves.toBeUndefined();
});
