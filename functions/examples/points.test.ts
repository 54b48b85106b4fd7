import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertDone, expectRetrySafe, loadFunction, startRedis, streamEntries } from 'regears/testing';

const file = new URL('./points.ts', import.meta.url);

test('points are added up per player', async () => {
  await using redis = await startRedis();
  await using points = await loadFunction({ file, redis });
  const games = streamEntries(
    'games:chess',
    { user: 'ann', points: 5 },
    { user: 'bob', points: 1 },
    { user: 'ann', points: 2 },
  );
  assertDone(points, await points.deliver(games));
  assert.equal(await redis.call('GET', 'points:{ann}'), '7');
});

test('a game that runs again counts once', async () => {
  await using points = await loadFunction({ file });
  await expectRetrySafe(points, streamEntries('games:chess', { user: 'ann', points: 5 }));
});
