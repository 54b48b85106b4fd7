import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { connectRedis, type RedisAccess } from '../../../functions/index.ts';
import { createSchedulerKeys } from '../../../scheduler/keys.ts';
import { createTokens } from '../../../scheduler/tokens/create-tokens.ts';
import type { Tokens } from '../../../scheduler/tokens/tokens.ts';
import { sharedRedis } from '../../support/shared-redis.ts';
import { waitFor } from '../../support/wait.ts';

const redis = sharedRedis();
const keys = createSchedulerKeys('rg:');
let access: RedisAccess;
let tokens: Tokens;
beforeEach(async () => {
  access = await connectRedis({ url: redis.url, log: pino({ level: 'silent' }) });
  tokens = createTokens({ access, keys });
});
afterEach(() => access[Symbol.asyncDispose]());

describe('a token', () => {
  test('is known by what its owner sends, and by nothing else', async () => {
    const made = await tokens.create({ name: 'ann', role: 'invoke' });
    expect(made.token).toMatch(/^rgt_[0-9a-f]{12}_[A-Za-z0-9_-]{43}$/);
    expect(await tokens.verify(made.token)).toMatchObject({
      id: made.id,
      name: 'ann',
      role: 'invoke',
      expiresAtMs: null,
    });
    const other = await tokens.create({ name: 'bob', role: 'read' });
    const mixed = `${made.token.slice(0, 17)}${other.token.slice(17)}`;
    for (const wrong of [mixed, made.token.slice(0, -1), `${made.token} `, made.id, '']) {
      expect(await tokens.verify(wrong)).toBeNull();
    }
  });

  test('is stored as a hash of 256 random bits', async () => {
    const made = await tokens.create({ name: 'ann', role: 'admin' });
    const stored = JSON.parse((await redis.client().hget(keys.tokens, made.id)) ?? '{}') as Record<string, unknown>;
    expect(Object.keys(stored).toSorted()).toEqual(['createdAtMs', 'expiresAtMs', 'hash', 'name', 'role']);
    expect(stored.hash).toMatch(/^[0-9a-f]{64}$/);
    expect(JSON.stringify(await tokens.list())).not.toContain(made.token.slice(18));
  });

  test('says when it was last used', async () => {
    const made = await tokens.create({ name: 'ann', role: 'read' });
    expect((await tokens.list())[0]?.lastUsedAtMs).toBeNull();
    const before = Date.now();
    await tokens.verify(made.token);
    await waitFor(async () => ((await tokens.list())[0]?.lastUsedAtMs ?? 0) >= before, { what: 'the use to be noted' });
  });

  test('that others revoke is good for a second more at most', async () => {
    const made = await tokens.create({ name: 'ann', role: 'read' });
    const elsewhere = createTokens({ access, keys });
    expect(await elsewhere.verify(made.token)).not.toBeNull();
    await tokens.revoke(made.id);
    expect(await tokens.verify(made.token)).toBeNull();
    await waitFor(async () => (await elsewhere.verify(made.token)) === null, { what: 'the others to hear of it' });
    await expect(tokens.revoke(made.id)).rejects.toMatchObject({ code: 'TOKEN_NOT_FOUND' });
  });

  test.each([
    [{ name: '', role: 'read' }],
    [{ name: 'x'.repeat(101), role: 'read' }],
    [{ name: 'a\u001b[2J', role: 'read' }],
    [{ name: 'a', role: 'root' }],
    [{ name: 'a', role: 'read', expiresInMs: 999 }],
    [{ name: 'a', role: 'read', expiresInMs: 1e15 }],
  ])('is not made of %j', async (request) => {
    await expect(tokens.create(request as never)).rejects.toMatchObject({ code: 'ARGUMENT_INVALID' });
    expect(await tokens.areThere()).toBe(false);
  });
});
