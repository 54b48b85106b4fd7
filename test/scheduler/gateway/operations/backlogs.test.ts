import { pino } from 'pino';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type ActiveRegistration, connectRedis, type RedisAccess, type RegistrationSpec } from '#functions';
import { createFigures } from '../../../../scheduler/figures/create-figures.ts';
import type { Backlog, Figures, RetryCount } from '../../../../scheduler/figures/figures.ts';
import { createMeter } from '../../../../scheduler/figures/meter.ts';
import { type BacklogDependencies, reportBacklogs } from '../../../../scheduler/gateway/operations/backlog-reports.ts';
import { createSchedulerKeys } from '../../../../scheduler/keys.ts';
import { sharedRedis } from '../../../support/shared-redis.ts';
import { waitFor } from '../../../support/wait.ts';
import { active, COMMAND, STREAM } from './harness.ts';

const redis = sharedRedis();
const log = pino({ level: 'silent' });
const keys = createSchedulerKeys('rg:');
const LIST: RegistrationSpec = {
  ...STREAM,
  id: 'f/list/jobs',
  trigger: { kind: 'list', lists: ['jobs', 'ünder'], from: 'right', delivery: {} as never },
};

let access: RedisAccess;
let figures: Figures;
let retries: readonly RetryCount[];
let registrations: Map<string, ActiveRegistration>;
let dependencies: BacklogDependencies;

beforeEach(async () => {
  access = await connectRedis({ url: redis.url, log });
  retries = [];
  registrations = new Map([STREAM, COMMAND].map((spec) => [spec.id, active(spec)]));
  const self = { nodeId: 'n', token: 't', slot: 0, consumer: 'n0', host: 'h', pid: 1, startedAtMs: 0, revision: 1 };
  const fleet = {
    self,
    consumers: () => ['n0'],
    holdsSlot: () => true,
    nodes: async () => [self],
    isAlive: () => true,
  };
  const registry = { snapshot: () => ({ revision: 1, functions: new Map(), registrations }) };
  dependencies = {
    ...{ access, keys, fleet, registry },
    streams: { facts: () => [] },
    settings: { prefix: 'rg:' },
    figures: { nodes: (slots: readonly number[]) => figures.nodes(slots) },
  } as unknown as BacklogDependencies;
  figures = createFigures({
    ...{ access, keys, fleet, meter: createMeter(), version: '1', log },
    inspectPool: () => [],
    measurePool: async () => [],
    ready: () => true,
    retries: () => retries,
    sandboxLimitBytes: 1,
    probe: async () => ({
      probe: { lag: { ageMs: 0, unread: 0, pending: 0, waiting: 0 }, deadLetters: 4 },
      backlogs: await reportBacklogs(dependencies),
    }),
  });
});
afterEach(async () => {
  await figures[Symbol.asyncDispose]();
  await access[Symbol.asyncDispose]();
});

/** A stream of the registration with so many entries, of which `read` have been read and not settled. */
async function fill(stream: string, entries: number, read: number): Promise<readonly string[]> {
  const { client } = access;
  await client.sadd(keys.streams(STREAM.id), stream);
  const ids: string[] = [];
  for (let i = 0; i < entries; i += 1) ids.push((await client.xadd(stream, '*', 'n', i)) ?? '');
  await client.xgroup('CREATE', stream, STREAM.id, '0');
  if (read > 0) await client.xreadgroup('GROUP', STREAM.id, 'n0', 'COUNT', read, 'STREAMS', stream, '>');
  return ids;
}

async function backlog(id = STREAM.id): Promise<Backlog> {
  const [found] = await reportBacklogs(dependencies, ({ spec }) => spec.id === id);
  if (found === undefined) throw new Error(`${id} has no backlog`);
  return found;
}

/** What the node says of its retries is in Redis a second later at most. */
async function told(said: readonly RetryCount[]): Promise<void> {
  retries = said;
  await waitFor(async () => JSON.stringify((await figures.nodes([0])).get(0)?.retries) === JSON.stringify(said), {
    what: 'the node tells of its retries',
  });
}

test('unread entries, entries in work and due retries are the backlog, and each counts once', async () => {
  await fill('s:1', 5, 3);
  await fill('s:2', 2, 0);
  expect(await backlog()).toMatchObject({
    ...{ unread: 4, unreadIsExact: false, pending: 3, dueRetries: 0, waitingRetries: 0, backlog: 7, state: 'running' },
  });
  await told([{ registrationId: STREAM.id, waiting: 2, due: 1 }]);
  // Of the three that were read one is in work, one is due, and one rests.
  expect(await backlog()).toMatchObject({ unread: 4, pending: 1, dueRetries: 1, waitingRetries: 1, backlog: 6 });
  expect((await backlog()).lagAgeMs).toBeGreaterThanOrEqual(0);
});

test('a single unread entry is a backlog, nothing is none', async () => {
  expect(await backlog()).toMatchObject({ backlog: 0, lagAgeMs: null, unreadIsExact: true });
  const [id = ''] = await fill('s:1', 1, 0);
  expect(await backlog()).toMatchObject({ backlog: 1, unread: 1, unreadIsExact: true });
  await access.client.xreadgroup('GROUP', STREAM.id, 'n0', 'STREAMS', 's:1', '>');
  await access.client.xack('s:1', STREAM.id, id);
  expect(await backlog()).toMatchObject({ backlog: 0, pending: 0 });
});

test('where Redis cannot tell the lag after deletions, the number is never less than what is unread', async () => {
  const ids = await fill('s:1', 6, 2);
  await access.client.xdel('s:1', ids[3] ?? '');
  const [group] = (await access.client.call('XINFO', 'GROUPS', 's:1')) as unknown[][];
  expect(group?.[(group?.indexOf('lag') ?? 0) + 1]).toBeNull();
  const { unread, unreadIsExact, backlog: all } = await backlog();
  expect([unread >= 3, unreadIsExact, all]).toEqual([true, false, unread + 2]);
  await access.client.xreadgroup('GROUP', STREAM.id, 'n0', 'STREAMS', 's:1', '>');
  expect(await backlog()).toMatchObject({ unread: 0, unreadIsExact: true, pending: 5, backlog: 5 });
});

test('what nobody works on is told and is no backlog: a registration that stands still', async () => {
  await fill('s:1', 3, 1);
  registrations.set(STREAM.id, active(STREAM, 'paused'));
  expect(await backlog()).toMatchObject({ state: 'paused', unread: 2, pending: 1, backlog: 0 });
});

test('items in the lists of a list registration are unread; calls of commands have no backlog', async () => {
  registrations.set(LIST.id, active(LIST));
  await access.client.lpush('jobs', 'a', 'b');
  await access.client.lpush('ünder', 'c');
  expect(await backlog(LIST.id)).toMatchObject({ unread: 3, backlog: 3 });
  await access.client.set('jobs', 'no list any more');
  expect((await reportBacklogs(dependencies)).map(({ registrationId, backlog: all }) => [registrationId, all])).toEqual(
    [
      [LIST.id, 1],
      [STREAM.id, 0],
    ],
  );
});

test('the node in the lowest slot leaves backlogs where every node finds them', async () => {
  await fill('s:1', 2, 0);
  await waitFor(async () => (await figures.backlogs())?.items[0]?.backlog === 2, { what: 'backlogs in Redis' });
  expect(await figures.backlogs()).toMatchObject({ deadLetters: 4, items: [{ registrationId: STREAM.id, unread: 2 }] });
});
