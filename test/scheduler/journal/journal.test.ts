import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createJournal } from '../../../scheduler/journal/create-journal.ts';
import type { Journal } from '../../../scheduler/journal/journal.ts';
import { createSchedulerKeys } from '../../../scheduler/keys.ts';
import type { RegistrationStats } from '../../../scheduler/triggers/trigger.ts';
import { startFaultProxy } from '../../support/fault-proxy.ts';
import { startRedis, type TestRedis } from '../../support/redis.ts';
import { waitFor } from '../../support/wait.ts';
import { plainAccess } from '../fleet/plain-access.ts';

const keys = createSchedulerKeys('rg:');
const log = pino({ level: 'silent' });
const ID = 'clicks/stream/events:*';

let server: TestRedis;
let journals: Journal[];

beforeEach(async () => {
  server = await startRedis();
  journals = [];
});

afterEach(async () => {
  await Promise.all(journals.map((journal) => journal[Symbol.asyncDispose]()));
  await server[Symbol.asyncDispose]();
});

function open(options: { flushMs?: number; port?: number; logLines?: number } = {}): Journal {
  const { flushMs = 20, port, logLines = 1_000 } = options;
  const journal = createJournal({ access: plainAccess(server, port), keys, caps: { logLines }, log, flushMs });
  journals.push(journal);
  return journal;
}

async function statsOf(journal: Journal, id = ID): Promise<RegistrationStats> {
  const stats = (await journal.stats([id])).get(id);
  if (!stats) throw new Error(`no stats of ${id}`);
  return stats;
}

describe('counters', () => {
  test('are summed over all nodes, short runs included', async () => {
    const [a, b] = [open(), open()];
    for (let run = 0; run < 1_000; run++) {
      const journal = run % 2 ? a : b;
      journal.count(ID, { triggered: 1 });
      journal.count(ID, { success: 1, durationMs: 0.25, lagMs: 1.5 });
    }
    // The last run is the one that is written last.
    await b[Symbol.asyncDispose]();
    a.count(ID, { triggered: 1, failures: 1, durationMs: 12, retries: 3, lastError: 'Fehler: ä' });
    expect(await statsOf(a)).toMatchObject({
      numTriggered: 1_001,
      numSuccess: 1_000,
      numFailures: 1,
      totalRunDurationMs: 262,
      lastRunDurationMs: 12,
      totalEstimatedLagMs: 1_500,
      retries: 3,
      lastError: 'Fehler: ä',
    });
  });

  test('lose their last error with a later success', async () => {
    const journal = open();
    journal.count(ID, { triggered: 1, failures: 1, lastError: 'boom' });
    expect((await statsOf(journal)).lastError).toBe('boom');
    journal.count(ID, { triggered: 1, success: 1, lastError: null });
    expect((await statsOf(journal)).lastError).toBeNull();
  });

  test('count ends of entries over all slots', async () => {
    const client = server.client();
    await client.sadd(keys.tags(ID), 't0', 't1');
    await client.hset(keys.stats('t0', ID), { done: 5, filtered: 2, lost: 1 });
    await client.hset(keys.stats('t1', ID), { done: 1, dead: 3, expired: 4 });
    expect(await statsOf(open())).toMatchObject({ done: 6, filtered: 2, dead: 3, expired: 4, lostToTrim: 1 });
  });

  test('keep what is in flight when they are cleared, and what is counted afterwards is exact', async () => {
    const client = server.client();
    const journal = open();
    await client.sadd(keys.tags(ID), 't0');
    await client.hset(keys.stats('t0', ID), { done: 5, dead: 1 });
    journal.count(ID, { triggered: 10, success: 5, failures: 2, aborted: 1, durationMs: 5, lastError: 'x' });
    await journal.clearStats();
    expect(await statsOf(journal)).toMatchObject({
      numTriggered: 2,
      numSuccess: 0,
      numFailures: 0,
      numAborted: 0,
      totalRunDurationMs: 0,
      lastError: null,
      done: 0,
      dead: 0,
    });
    journal.count(ID, { success: 2 });
    await client.hincrby(keys.stats('t0', ID), 'done', 7);
    expect(await statsOf(journal)).toMatchObject({ numTriggered: 2, numSuccess: 2, done: 7 });
    expect(await client.hget(keys.stats('t0', ID), 'done')).toBe('12');
  });

  test('survive a lost connection and are counted once, whether or not the write had arrived', async () => {
    await using proxy = await startFaultProxy(server);
    const journal = open({ port: proxy.port, flushMs: 10 });
    const client = server.client();
    const written = async (): Promise<number> => Number(await client.hget(keys.runs(ID), 'triggered'));
    let counted = 0;
    for (let round = 0; round < 20; round++) {
      const connections = proxy.accepted;
      if (round % 4 === 1) proxy.cutAfter(1);
      for (let run = 0; run < 50; run++) journal.count(ID, { triggered: 1, success: 1 });
      counted += 50;
      if (round % 4 === 3) proxy.drop();
      if (round % 2 === 1)
        await waitFor(() => proxy.accepted > connections, { what: 'the journal has connected anew' });
      else await waitFor(async () => (await written()) === counted, { what: 'the round is written' });
    }
    expect(await statsOf(journal)).toMatchObject({ numTriggered: counted, numSuccess: counted });
  });
});

describe('logs', () => {
  test('are kept in order, newest last, and followed by id', async () => {
    const journal = open();
    for (let line = 0; line < 30; line++) {
      journal.log({ functionName: line % 2 ? 'a' : 'b', version: 1, level: 'notice', message: `line ${line} ü` });
    }
    const all = await journal.logs(null, null, 100);
    expect(all.map((line) => line.message)).toEqual(Array.from({ length: 30 }, (_, line) => `line ${line} ü`));
    expect(new Set(all.map((line) => line.id)).size).toBe(30);
    expect((await journal.logs('a', null, 2)).map((line) => line.message)).toEqual(['line 27 ü', 'line 29 ü']);
    expect(await journal.logs(null, all[9]?.id ?? '', 5)).toEqual(all.slice(10, 15));
    journal.log({ functionName: 'c', version: 3, level: 'warning', message: 'new' });
    expect(await journal.logs(null, all.at(-1)?.id ?? '', 5)).toMatchObject([
      { functionName: 'c', version: 3, level: 'warning', message: 'new' },
    ]);
  });

  test('are capped per function', async () => {
    const journal = open({ logLines: 100 });
    for (let line = 0; line < 1_000; line++) {
      journal.log({ functionName: 'a', version: 1, level: 'notice', message: `${line}` });
    }
    await journal.logs('a', null, 1);
    expect(await server.client().xlen(keys.log('a'))).toBeLessThan(300);
  });

  test('of a flood are dropped and the log says how many', async () => {
    const journal = open({ flushMs: 60_000 });
    for (let line = 0; line < 10_050; line++) {
      journal.log({ functionName: 'a', version: 1, level: 'notice', message: 'x' });
    }
    const last = (await journal.logs('a', null, 1))[0];
    expect(last?.message).toBe('50 log lines dropped: they came faster than they can be kept');
  });
});
