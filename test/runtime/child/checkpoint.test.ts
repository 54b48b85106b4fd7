import { afterAll, beforeAll, expect, test } from 'vitest';
import { ChildHarness, entriesOf } from './child-harness.ts';

let child: ChildHarness;
beforeAll(async () => {
  child = await ChildHarness.start();
});
afterAll(() => child.stop());

test('the queue of microtasks can still be run after many garbage collections within one call', async () => {
  await child.load(
    `GB('StreamReader').foreach(async r => {
      for (let i = 0; r.value.n === '0' && i < 40; i++) { const list = []; for (let j = 0; j < 200_000; j++) list.push({ j }); }
      await null;
      await execute('SET', r.value.n);
    }).register()`,
    { callMs: 20_000 },
  );
  const record = await child.run({
    payload: entriesOf([
      ['n', '0'],
      ['n', '1'],
    ]),
    entryCount: 2,
  });
  expect(record.done).toEqual([0, 1]);
  expect(record.commands.map(({ entry }) => entry)).toEqual([0, 1]);
});

test('an unknown frame ends the process with a message', async () => {
  const other = await ChildHarness.start();
  const frame = Buffer.alloc(9);
  frame.writeUInt32LE(5, 0);
  frame.writeUInt8(99, 4);
  other.send(frame);
  expect(await other.exited).toBe(76);
  expect(other.stderr.join('')).toContain('unknown type 99');
});

test('a child whose node is gone ends', async () => {
  const other = await ChildHarness.start();
  other.hangUp();
  expect(await other.exited).toBe(0);
});
