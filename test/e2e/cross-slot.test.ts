import { afterAll, beforeAll, expect, test } from 'vitest';
import { type PlatformProcess, startPlatformProcess } from '../support/platform.ts';
import { startCluster, type TestCluster } from '../support/redis-cluster.ts';
import { loadFunction } from './topology.ts';

let cluster: TestCluster;
let platform: PlatformProcess;

beforeAll(async () => {
  cluster = await startCluster({ primaries: 3 });
  platform = await startPlatformProcess({ redisUrl: cluster.url });
});
afterAll(async () => {
  await platform?.[Symbol.asyncDispose]();
  await cluster?.[Symbol.asyncDispose]();
});

/** What a function sees of the error of `body`: its code, then its message. */
async function errorOf(name: string, body: string): Promise<readonly string[]> {
  const source = `new GB('CommandReader').flatmap(async () => {
    try { ${body} } catch (error) { return [error.code, error.message]; }
    return ['no error'];
  }).register({ trigger: '${name}', mode: 'async_local' });`;
  await loadFunction(platform.door, name, source);
  return (await platform.door.call('RG.TRIGGER', name)) as string[];
}

// Slots 15495 and 3300.
const CASES = {
  'one command': "await execute('MSET', 'a', '1', 'b', '1');",
  'an atomic of writes': "await atomic(() => { execute('SET', 'a', '1'); execute('SET', 'b', '1'); });",
  'an atomic with reads': `await atomic(async (tx) => { await tx.execute('GET', 'a'); tx.execute('SET', 'b', '1'); });`,
};

test.each(Object.entries(CASES))(
  '%s over keys of two slots fails with CROSS_SLOT and names them',
  async (name, body) => {
    const [code, message] = await errorOf(name.replaceAll(' ', '-'), body);
    expect(code).toBe('CROSS_SLOT');
    expect(message).toMatch(/^CROSS_SLOT the keys "a".* and "b".* in different slots/);
    expect(await cluster.client().exists('a')).toBe(0);
    expect(await cluster.client().exists('b')).toBe(0);
  },
);

test('an atomic over keys with one tag happens as a whole', async () => {
  const body = `return (await atomic(() => { execute('SET', '{t}a', '1'); execute('INCR', '{t}b'); })).map(String);`;
  expect(await errorOf('one-tag', body)).toEqual(['OK', '1']);
});
