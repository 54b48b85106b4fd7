import { afterAll, beforeAll, expect, test } from 'vitest';
import { startCluster, type TestCluster } from '../../../support/redis-cluster.ts';
import { waitFor } from '../../../support/wait.ts';
import { type Api, type Json, startApi } from './support/api.ts';

let cluster: TestCluster;
let started: Awaited<ReturnType<typeof startApi>>;
let api: Api;
beforeAll(async () => {
  cluster = await startCluster({ primaries: 3 });
  started = await startApi({ redisUrl: cluster.url });
  ({ api } = started);
});
afterAll(async () => {
  await started?.[Symbol.asyncDispose]();
  await cluster?.[Symbol.asyncDispose]();
});

test('on a cluster every shard is shown, and streams of all of them', async () => {
  const { topology, shards } = (await api.get('/v1/cluster')).body;
  expect([topology, shards.map(({ reachable }: Json) => reachable)]).toEqual(['cluster', [true, true, true]]);
  const slots = shards
    .flatMap((shard: Json) => shard.slots)
    .reduce((sum: number, [a, b]: number[]) => sum + (b ?? 0) - (a ?? 0) + 1, 0);
  expect(slots).toBe(16_384);
  expect((await api.post('/v1/cluster/refresh')).status).toBe(204);
  const source =
    "GB('StreamReader').foreach((r) => { if (r.value.n === '0') throw new Error('zero'); }).register({ prefix: 'many:*', mode: 'async_local', onFailedPolicy: 'continue' });";
  await api.upload('many', source);
  const names = Array.from({ length: 12 }, (_, n) => `many:${n}`);
  for (const [n, name] of names.entries()) await started.node.door.xadd(name, '*', 'n', String(n));
  const seen = async (): Promise<Json> => (await api.get('/v1/streams')).body.items;
  await waitFor(
    async () => (await seen()).filter((one: Json) => one.groups[0]?.pending === 0).length === names.length,
    { what: 'all streams' },
  );
  expect((await seen()).map((one: Json) => one.stream)).toEqual(names.toSorted());
  expect((await api.get('/v1/dead-letters')).body.items.map((one: Json) => one.stream)).toEqual(['many:0']);
  expect((await api.post('/v1/dead-letters/discard', { filter: {}, all: true })).body.discarded).toBe(1);
});

test('on a cluster calls, keys of idempotency, runs and figures work as on one server', async () => {
  await api.upload(
    'count',
    "GB('CommandReader').map((r) => execute('INCR', 'n:' + r[1])).register({ trigger: 'count', mode: 'async' });",
  );
  const call = async (): Promise<Json> =>
    (await api.post('/v1/trigger/count', ['a'], { 'idempotency-key': 'one' })).body;
  expect([(await call()).results, (await call()).results]).toEqual([['1'], ['1']]);
  for (const n of [1, 2, 3, 4, 5, 6]) await started.node.door.set(`item:${n}`, String(n));
  const run = await api.post('/v1/runs?wait=true', { source: "GB('KeysReader').count().run('item:*')" });
  expect(run.body).toMatchObject({ status: 'done', results: ['6'] });
  const detail = (await api.get(`/v1/executions/${run.body.id}`)).body;
  expect(detail.shards).toHaveLength(3);
  await waitFor(async () => (await api.get('/v1/live/history')).body.samples.length > 0, { what: 'figures' });
  expect((await api.get('/v1/nodes')).body.items[0]).toMatchObject({ self: true, ready: true });
});
