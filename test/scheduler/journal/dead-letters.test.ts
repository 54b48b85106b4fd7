import type { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createDeadLetters, type DeadLetters } from '../../../scheduler/journal/dead-letters.ts';
import { createSchedulerKeys } from '../../../scheduler/keys.ts';
import { startFaultProxy } from '../../support/fault-proxy.ts';
import { startRedis, type TestRedis } from '../../support/redis.ts';
import { plainAccess } from '../fleet/plain-access.ts';

const keys = createSchedulerKeys('rg:');
const CLICKS = 'clicks/stream/events@web:*';
const ORDERS = 'orders/stream/orders';

let server: TestRedis;
let client: Redis;
let letters: DeadLetters;

beforeEach(async () => {
  server = await startRedis();
  client = server.client();
  letters = createDeadLetters({ access: plainAccess(server), keys });
});

afterEach(() => server[Symbol.asyncDispose]());

interface LetterFacts {
  readonly registrationId?: string;
  readonly tag?: string;
  readonly stream?: string;
  readonly streamId?: string;
  readonly message?: string;
  readonly payload?: Buffer;
}

function payloadOf(...texts: (string | Buffer)[]): Buffer {
  const parts = texts.map((text) => Buffer.from(text)).flatMap((bytes) => [`$${bytes.length}\r\n`, bytes, '\r\n']);
  return Buffer.concat([`*${texts.length}\r\n`, ...parts].map((part) => Buffer.from(part)));
}

async function bury(facts: LetterFacts = {}): Promise<void> {
  const { registrationId = CLICKS, tag = 't0', stream = 'events@web:1', streamId = '*', message = 'boom' } = facts;
  await client.sadd(keys.registrationIndex, registrationId);
  await client.sadd(keys.tags(registrationId), tag);
  const fields: Record<string, string | Buffer> = {
    entryId: '5-1',
    registrationId,
    functionName: registrationId.split('/')[0] ?? '',
    version: '2',
    attempts: '5',
    reason: 'attempts',
    errorCode: 'GUEST_ERROR',
    errorMessage: message,
    errorStack: 'at line 1',
    diedAtMs: '1000',
    stream: Buffer.from(stream, 'latin1'),
    payload: facts.payload ?? payloadOf('user', 'ann'),
  };
  await client.xadd(keys.dead(tag, registrationId), streamId, ...Object.entries(fields).flat());
}

describe('listing', () => {
  test('merges all registrations and slots, oldest first, page by page', async () => {
    for (let letter = 0; letter < 10; letter++) {
      await bury({ streamId: `${10 + Math.floor(letter / 2)}-0`, tag: letter % 2 ? 't1' : 't0' });
    }
    await bury({ registrationId: ORDERS, streamId: '11-0' });
    const all = await letters.list({ count: 100, after: null });
    expect(all).toHaveLength(11);
    const times = all.map((letter) => letter.id.split('@').at(-1) ?? '');
    expect(times).toEqual([...times].sort());
    const pages: string[] = [];
    let after: string | null = null;
    for (;;) {
      const page: readonly { id: string }[] = await letters.list({ count: 3, after });
      pages.push(...page.map((letter) => letter.id));
      after = page.at(-1)?.id ?? null;
      if (after === null) break;
    }
    expect(pages).toEqual(all.map((letter) => letter.id));
  });

  test('shows everything about a letter, bytes unharmed', async () => {
    const payload = payloadOf('k', Buffer.from([0, 255, 13, 10]));
    await bury({ stream: 's\xff', message: 'Größe', payload, streamId: '7-3' });
    const [letter] = await letters.list({ count: 1, after: null });
    expect(letter).toEqual({
      id: `${CLICKS}@t0@7-3`,
      entryId: '5-1',
      stream: 's\xff',
      registrationId: CLICKS,
      functionName: 'clicks',
      version: 2,
      attempts: 5,
      reason: 'attempts',
      errorCode: 'GUEST_ERROR',
      errorMessage: 'Größe',
      errorStack: 'at line 1',
      payload: payload.toString('latin1'),
      diedAtMs: 1000,
    });
    expect(await letters.show(letter?.id ?? '')).toEqual(letter);
  });

  test('an unknown id is an error that says so', async () => {
    await bury({ streamId: '7-3' });
    for (const id of ['', 'nonsense', `${CLICKS}@t0@7-4`, `${ORDERS}@t0@7-3`]) {
      await expect(letters.show(id)).rejects.toMatchObject({ code: 'DEAD_LETTER_NOT_FOUND' });
    }
  });

  test('filters by function, registration, error text and time', async () => {
    await bury({ streamId: '1000-0' });
    await bury({ streamId: '2000-0', message: 'Time OUT' });
    await bury({ registrationId: ORDERS, streamId: '3000-0' });
    expect(await letters.count({})).toBe(3);
    expect(await letters.count({ functionName: 'clicks' })).toBe(2);
    expect(await letters.count({ registrationId: ORDERS })).toBe(1);
    expect(await letters.count({ error: 'time out' })).toBe(1);
    expect(await letters.count({ error: 'guest_error' })).toBe(3);
    expect(await letters.count({ sinceMs: 2000 })).toBe(2);
    expect(await letters.count({ untilMs: 2000 })).toBe(2);
    expect(await letters.count({ sinceMs: 1001, untilMs: 2999 })).toBe(1);
    expect(await letters.list({ sinceMs: 2000, count: 9, after: `${CLICKS}@t0@1000-0` })).toHaveLength(2);
  });
});

describe('redriving', () => {
  test('appends the same bytes under a new id and deletes the letter', async () => {
    const value = Buffer.from([0, 255, 13, 10, 36]);
    await bury({ stream: 's:\xfe', payload: payloadOf('user', 'änn', 'raw', value, '', '') });
    expect(await letters.redrive({ functionName: 'clicks' })).toEqual({
      matched: 1,
      redriven: 1,
      lostToTrim: 0,
      tooLarge: 0,
      gone: 0,
      refused: [],
    });
    const entries = await client.xrangeBuffer(Buffer.from('s:\xfe', 'latin1'), '-', '+');
    expect(entries.map(([, fields]) => fields)).toEqual([
      ['user', 'änn', 'raw', value, '', ''].map((text) => Buffer.from(text)),
    ]);
    expect(await letters.count({})).toBe(0);
  });

  test('a dry run changes nothing', async () => {
    await bury();
    await bury({ payload: Buffer.from('*0\r\n') });
    expect(await letters.redrive({}, { dryRun: true })).toMatchObject({ matched: 2, redriven: 1, lostToTrim: 1 });
    expect(await client.exists('events@web:1')).toBe(0);
    expect(await letters.count({})).toBe(2);
  });

  test('trimmed entries stay and are counted', async () => {
    await bury({ payload: Buffer.from('*0\r\n') });
    await bury({ payload: Buffer.alloc(0) });
    expect(await letters.redrive({})).toMatchObject({ matched: 2, redriven: 0, lostToTrim: 2 });
    expect(await letters.count({})).toBe(2);
  });

  test('a source that is no stream any more is named, the others go on', async () => {
    await client.set('gone', 'a string');
    await bury({ stream: 'gone', streamId: '5-0' });
    await bury({ streamId: '6-0' });
    const result = await letters.redrive({});
    expect(result).toMatchObject({ matched: 2, redriven: 1 });
    expect(result.refused).toMatchObject([{ id: `${CLICKS}@t0@5-0`, message: expect.stringContaining('WRONGTYPE') }]);
    expect(await letters.count({})).toBe(1);
  });

  test('by several at once, over connections that break, neither loses nor doubles an entry', async () => {
    const total = 150;
    for (let letter = 0; letter < total; letter++) await bury({ payload: payloadOf('n', `${letter}`) });
    await using proxy = await startFaultProxy(server);
    const broken = createDeadLetters({ access: plainAccess(server, proxy.port), keys });
    // Replies are held back for a while, so that most of the cut connections lose one whose script has run.
    proxy.delay(3);
    let cuts = 0;
    const breaking = setInterval(() => {
      cuts++;
      if (cuts <= 12) proxy.drop();
    }, 25);
    await Promise.all([letters.redrive({}), broken.redrive({}), broken.redrive({})]);
    clearInterval(breaking);
    const entries = await client.xrange('events@web:1', '-', '+');
    const numbers = entries.map(([, fields]) => Number(fields[1])).sort((a, b) => a - b);
    expect(numbers).toEqual(Array.from({ length: total }, (_, letter) => letter));
    expect(await letters.count({})).toBe(0);
  });

  test('one letter by its id', async () => {
    await bury({ streamId: '5-0' });
    await bury({ streamId: '6-0' });
    expect(await letters.redrive({ id: `${CLICKS}@t0@6-0` })).toMatchObject({ matched: 1, redriven: 1 });
    expect((await letters.list({ count: 9, after: null })).map((letter) => letter.id)).toEqual([`${CLICKS}@t0@5-0`]);
  });
});

test('discarding deletes letters for good', async () => {
  await bury();
  await bury({ registrationId: ORDERS });
  expect(await letters.discard({ registrationId: ORDERS }, { dryRun: true })).toBe(1);
  expect(await letters.discard({ registrationId: ORDERS })).toBe(1);
  expect(await letters.count({})).toBe(1);
});
