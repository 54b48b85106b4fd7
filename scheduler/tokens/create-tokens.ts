import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { PlatformError, type RedisAccess } from '#functions';
import type { SchedulerErrorCode } from '../errors.ts';
import type { SchedulerKeys } from '../keys.ts';
import { ROLES, type Role } from './role.ts';
import type { TokenChecks, TokenRecord, Tokens } from './tokens.ts';

export interface TokensOptions {
  readonly access: Pick<RedisAccess, 'client'>;
  readonly keys: Pick<SchedulerKeys, 'tokens' | 'tokensUsed'>;
  /** How long what was read of Redis is good, ms. Default 1000. */
  readonly rememberMs?: number;
}

/** As it is stored: a JSON object by id. */
interface StoredToken {
  readonly name: string;
  readonly role: Role;
  readonly createdAtMs: number;
  readonly expiresAtMs: number | null;
  /** SHA-256 of the whole token, hex. */
  readonly hash: string;
}

const TOKEN = /^rgt_([0-9a-f]{12})_[A-Za-z0-9_-]{43}$/;
const NAME = /^[^\p{Cc}]{1,100}$/u;
const SECRET_BYTES = 32;
const USED_EVERY_MS = 60_000;
/** How long `lasting` waits for Redis. */
const PATIENCE_MS = 500;
const LONGEST_LIFE_MS = 10 * 365 * 86_400_000;

/**
 * Tokens over Redis. A secret is 256 random bits, so its plain SHA-256 tells nobody anything: there is no dictionary to try, and
 * a slow hash would only let strangers burn this node's time.
 */
export function createTokens({ access, keys, rememberMs = 1_000 }: TokensOptions): Tokens {
  const { client } = access;
  const known = createMemory(client, keys.tokens, rememberMs);
  const usedAtMs = new Map<string, number>();
  const noteUse = (id: string, nowMs: number): void => {
    if (nowMs - (usedAtMs.get(id) ?? 0) < USED_EVERY_MS) return;
    usedAtMs.set(id, nowMs);
    // For people only: a use that could not be noted is noted with the next one.
    client.hset(keys.tokensUsed, id, nowMs).catch(() => usedAtMs.delete(id));
  };

  const checksBy = (tokensNow: () => Promise<StoredTokens>): TokenChecks => ({
    async areThere() {
      return (await tokensNow()).size > 0;
    },
    async verify(token) {
      const id = TOKEN.exec(token)?.[1];
      const stored = id === undefined ? undefined : (await tokensNow()).get(id);
      if (id === undefined || stored === undefined) return null;
      const nowMs = Date.now();
      if (!timingSafeEqual(hashOf(token), Buffer.from(stored.hash, 'hex'))) return null;
      if (stored.expiresAtMs !== null && stored.expiresAtMs <= nowMs) return null;
      noteUse(id, nowMs);
      return recordOf(id, stored, String(nowMs));
    },
  });

  return {
    ...checksBy(() => known.recent()),
    lasting: checksBy(() => known.lasting()),
    async create({ name, role, expiresInMs }) {
      checkRequest(name, role, expiresInMs);
      const id = randomBytes(6).toString('hex');
      const token = `rgt_${id}_${randomBytes(SECRET_BYTES).toString('base64url')}`;
      const createdAtMs = Date.now();
      const expiresAtMs = expiresInMs === undefined ? null : createdAtMs + expiresInMs;
      const stored: StoredToken = { name, role, createdAtMs, expiresAtMs, hash: hashOf(token).toString('hex') };
      await client.hset(keys.tokens, id, JSON.stringify(stored));
      known.forget();
      return { ...recordOf(id, stored, null), token };
    },
    async list() {
      const [tokens, used] = await Promise.all([known.read(), client.hgetall(keys.tokensUsed)]);
      const records = [...tokens].map(([id, stored]) => recordOf(id, stored, used[id]));
      return records.sort((a, b) => a.createdAtMs - b.createdAtMs || (a.id < b.id ? -1 : 1));
    },
    async revoke(id) {
      const removed = await client.hdel(keys.tokens, id);
      await client.hdel(keys.tokensUsed, id);
      known.forget();
      if (removed === 0) throw notFound(id);
    },
  };
}

type StoredTokens = ReadonlyMap<string, StoredToken>;

/** All tokens as they were read a moment ago. */
interface Memory {
  recent(): Promise<StoredTokens>;
  /** As `recent`, or as they were last read when that takes too long. */
  lasting(): Promise<StoredTokens>;
  read(): Promise<StoredTokens>;
  forget(): void;
}

function createMemory(client: TokensOptions['access']['client'], key: string, rememberMs: number): Memory {
  let known: { readonly tokens: StoredTokens; readonly untilMs: number } | null = null;
  let reading: Promise<StoredTokens> | null = null;
  let readingSinceMs = 0;
  /** What was read last, however long ago. */
  let last: StoredTokens | null = null;
  const read = async (): Promise<StoredTokens> => {
    const texts = Object.entries(await client.hgetall(key));
    const tokens = new Map(texts.map(([id, text]) => [id, JSON.parse(text) as StoredToken]));
    last = tokens;
    known = { tokens, untilMs: performance.now() + rememberMs };
    return tokens;
  };
  const recent = (): Promise<StoredTokens> => {
    if (known !== null && performance.now() < known.untilMs) return Promise.resolve(known.tokens);
    if (reading === null) {
      readingSinceMs = performance.now();
      reading = read().finally(() => {
        reading = null;
      });
    }
    return reading;
  };
  return {
    read,
    recent,
    async lasting() {
      const isLate = reading !== null && performance.now() - readingSinceMs > PATIENCE_MS;
      if (isLate && last !== null) return last;
      const late = Promise.withResolvers<null>();
      const timer = setTimeout(() => late.resolve(null), PATIENCE_MS);
      const found = await Promise.race([recent().catch(() => null), late.promise]);
      clearTimeout(timer);
      const tokens = found ?? last;
      if (tokens !== null) return tokens;
      const message = 'Redis does not answer, and this node has not read any tokens yet';
      throw new PlatformError('REDIS_UNREACHABLE', message, { retryable: true });
    },
    forget() {
      known = null;
    },
  };
}

function hashOf(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}

function recordOf(id: string, stored: StoredToken, used: string | null | undefined): TokenRecord {
  const { name, role, createdAtMs, expiresAtMs } = stored;
  return { id, name, role, createdAtMs, expiresAtMs, lastUsedAtMs: used ? Number(used) : null };
}

function checkRequest(name: string, role: Role, expiresInMs: number | undefined): void {
  if (!NAME.test(name)) throw invalid(`the name of a token has 1 to 100 characters, and none that steer a terminal`);
  if (!ROLES.includes(role)) throw invalid(`role is "${String(role).slice(0, 100)}"; allowed are ${ROLES.join(', ')}`);
  if (expiresInMs === undefined) return;
  if (Number.isSafeInteger(expiresInMs) && expiresInMs >= 1_000 && expiresInMs <= LONGEST_LIFE_MS) return;
  throw invalid(`a token lives for 1 second to 10 years; ${expiresInMs} ms were asked for`);
}

function invalid(message: string): PlatformError {
  return new PlatformError('ARGUMENT_INVALID', message);
}

function notFound(id: string): PlatformError<SchedulerErrorCode> {
  return new PlatformError(
    'TOKEN_NOT_FOUND',
    `there is no token ${id.slice(0, 100)}; \`regears token list\` shows them`,
  );
}
