import { afterAll, beforeAll, expect, test } from 'vitest';
import { matchesGlob } from '../../../functions/model/glob.ts';
import { startRedis, type TestRedis } from '../../support/redis.ts';

const PATTERNS = [
  '*',
  'a*',
  '*a',
  'a*b*c',
  'a?c',
  '?',
  '??',
  'h[ae]llo',
  'h[^e]llo',
  'h[a-c]llo',
  'h[c-a]llo',
  'a\\*b',
];
PATTERNS.push('**a**', 'abc', 'chat:*:in', '[abc', 'a[', 'x\\', '*[0-9]', '[]a]', '[\\]]');
const TEXTS = [
  'a',
  'b',
  'ab',
  'abc',
  'axbxc',
  'abbc',
  'hello',
  'hallo',
  'hbllo',
  'a*b',
  'axb',
  'chat:1:in',
  'chat::in',
];
TEXTS.push('chat:1:out', 'a[', '[', ']', 'x\\', 'x', 'z9', 'aab', 'aaaaaaaaaaaaaaaaaaaaab');

let redis: TestRedis;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis[Symbol.asyncDispose]());

test('globs match what the server says they match', async () => {
  const client = redis.client();
  for (const text of TEXTS) await client.set(text, '');
  for (const pattern of PATTERNS) {
    const found = new Set(await client.keys(pattern));
    for (const text of TEXTS) {
      expect(matchesGlob(pattern, text), `${pattern} on ${text}`).toBe(found.has(text));
    }
  }
});
