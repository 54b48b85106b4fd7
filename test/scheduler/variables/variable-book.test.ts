import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  createKeyRing,
  type FunctionRecord,
  generateKey,
  type LoadableVersion,
  type PlatformError,
  type RegistrySnapshot,
  type StoredVariable,
} from '#functions';
import { openKeyRing } from '../../../scheduler/variables/open-key-ring.ts';
import { createVariableBook, type VariableBook } from '../../../scheduler/variables/variable-book.ts';

const ring = createKeyRing(generateKey(), 'a test');
const LOG = pino({ level: 'silent' });

function target(version: number, secrets: readonly string[], functionName = 'mailer'): LoadableVersion {
  return { functionName, version, secrets } as unknown as LoadableVersion;
}

function snapshot(record: Partial<FunctionRecord> | null): RegistrySnapshot {
  const functions = record === null ? [] : [['mailer', { name: 'mailer', ...record } as FunctionRecord] as const];
  return { revision: 1, functions: new Map(functions), registrations: new Map() };
}

function sealed(name: string, value: string, kind: StoredVariable['kind'] = 'secret'): StoredVariable {
  const { text, fingerprint } = ring.seal({ functionName: 'mailer', kind, name }, value);
  return { kind, name, text, fingerprint, sealed: true, updatedAtMs: 1 };
}

async function bookOf(
  record: Partial<FunctionRecord>,
  variables: readonly StoredVariable[],
  keys = ring,
): Promise<VariableBook> {
  const book = createVariableBook({ keyRing: keys, log: LOG });
  await book.refresh(snapshot(record), async () => ({ revision: 3, variables }));
  return book;
}

function codeOf(work: () => unknown): string {
  try {
    work();
    return 'returned';
  } catch (error) {
    return (error as PlatformError).code;
  }
}

describe('the variables of a version', () => {
  test('are its environment and the secrets it asks for, and the same object until something changes', async () => {
    const stored = [sealed('A', 'value of A'), sealed('B', 'value of B'), sealed('REGION', 'eu', 'env')];
    using book = await bookOf({ variablesRevision: 3, secrets: ['A'] }, stored);
    const variables = book.of(target(1, ['A']));
    expect(variables).toEqual({ env: { REGION: 'eu' }, secrets: { A: 'value of A' } });
    expect(book.of(target(1, ['A']))).toBe(variables);
    await book.refresh(snapshot({ variablesRevision: 3, secrets: ['A'] }), () =>
      Promise.reject(new Error('is not read')),
    );
    expect(book.of(target(1, ['A']))).toBe(variables);
    expect(book.of(target(2, []))).toEqual({ env: { REGION: 'eu' }, secrets: {} });
    await book.refresh(snapshot({ variablesRevision: 4, secrets: ['A'] }), async () => ({
      revision: 4,
      variables: [sealed('A', 'another value')],
    }));
    expect(book.of(target(1, ['A']))).toEqual({ env: {}, secrets: { A: 'another value' } });
  });

  test('are none for functions without any, and for scripts of any name', async () => {
    using book = await bookOf({ variablesRevision: 3, secrets: ['A'] }, [sealed('A', 'value of A')]);
    expect(book.of(target(1, [], 'other'))).toBeNull();
    expect(book.of(target(0, ['A']))).toBeNull();
  });

  test('cannot be had while one of its secrets is missing', async () => {
    using book = await bookOf({ variablesRevision: 3, secrets: ['A', 'B'] }, [sealed('A', 'value of A')]);
    expect(codeOf(() => book.of(target(1, ['A', 'B'])))).toBe('SECRET_MISSING');
    expect(book.reasonAgainst('mailer')?.message).toContain('regears secret set mailer B');
    expect(codeOf(() => book.of(target(2, ['A'])))).toBe('returned');
    expect(codeOf(() => book.of(target(1, ['A'], 'never set')))).toBe('SECRET_MISSING');
  });

  test('cannot be had with another key; functions beside it can', async () => {
    const stored = [sealed('A', 'value of A')];
    using book = await bookOf({ variablesRevision: 3, secrets: ['A'] }, stored, createKeyRing(generateKey(), 'x'));
    expect(codeOf(() => book.of(target(1, ['A'])))).toBe('SECRET_UNREADABLE');
    expect(book.reasonAgainst('mailer')?.code).toBe('SECRET_UNREADABLE');
    expect(book.of(target(1, [], 'other'))).toBeNull();
    using unreadableEnv = await bookOf({ variablesRevision: 3 }, [sealed('E', 'x', 'env')], createKeyRing('', 'x'));
    expect(unreadableEnv.reasonAgainst('mailer')?.code).toBe('SECRET_UNREADABLE');
  });

  test('hold no secret that was written into Redis without a key, nor one moved from another variable', async () => {
    const forged: StoredVariable = { ...sealed('A', 'value of A'), text: 'planted value', sealed: false };
    using book = await bookOf({ variablesRevision: 3, secrets: ['A'] }, [forged]);
    expect(codeOf(() => book.of(target(1, ['A'])))).toBe('SECRET_UNREADABLE');
    const moved: StoredVariable = { ...sealed('A', 'value of A'), kind: 'env', name: 'SHOWN' };
    using other = await bookOf({ variablesRevision: 3 }, [moved]);
    expect(codeOf(() => other.of(target(1, [])))).toBe('SECRET_UNREADABLE');
  });

  test('are forgotten with their function', async () => {
    using book = await bookOf({ variablesRevision: 3, secrets: ['A'] }, [sealed('A', 'value of A')]);
    expect(book.redact('it is value of A')).toBe('it is [secret A]');
    await book.refresh(snapshot(null), () => Promise.reject(new Error('is not read')));
    expect(book.of(target(1, []))).toBeNull();
    expect(book.redact('it is value of A')).toBe('it is value of A');
  });

  test('are read again when Redis was away', async () => {
    using book = createVariableBook({ keyRing: ring, log: LOG });
    let asked = 0;
    await book.refresh(snapshot({ variablesRevision: 3 }), async () => {
      asked += 1;
      if (asked === 1) throw new Error('Connection is closed.');
      return { revision: 3, variables: [sealed('E', 'eu', 'env')] };
    });
    expect(book.of(target(1, []))?.env).toEqual({ E: 'eu' });
  });
});

describe('the keys of a node', () => {
  let dir: string;
  beforeAll(() => {
    dir = mkdtempSync(join(tmpdir(), 'regears-keys-'));
  });
  afterAll(() => {
    rmSync(dir, { recursive: true });
  });
  const open = (given: string | undefined, secretsKeyFile: string | null, redisUrl: string | null = 'redis://x') =>
    openKeyRing({ settings: { secretsKeyFile, redisUrl, dataDir: dir }, given, log: LOG });

  test('a node with a Redis of its own makes a file that only its owner reads, once', () => {
    const first = open(undefined, null, null);
    const path = join(dir, 'secrets.key');
    expect(statSync(path).mode & 0o777).toBe(0o600);
    const text = readFileSync(path, 'utf8');
    expect(open(undefined, null, null).keyId).toBe(first.keyId);
    expect(readFileSync(path, 'utf8')).toBe(text);
    expect(text).toMatch(/^[A-Za-z0-9+/]{43}=\n$/);
  });

  test('a node on another Redis has none unless it is given one', () => {
    const key = generateKey();
    const file = join(dir, 'fleet.key');
    writeFileSync(file, key);
    chmodSync(file, 0o600);
    expect(open(undefined, null).keyId).toBeNull();
    expect(open(undefined, file).keyId).toBe(createKeyRing(key, 'x').keyId);
    expect(open(key, null).keyId).toBe(createKeyRing(key, 'x').keyId);
  });

  test.each([
    ['both are given', () => open(generateKey(), join(dir, 'secrets.key')), 'keep one of them'],
    ['there is no such file', () => open(undefined, join(dir, 'none')), 'none'],
    ['it holds no key', () => open(undefined, empty()), 'holds no key'],
    ['it is no key', () => open('hunter2', null), 'REGEARS_SECRETS_KEY'],
  ])('are refused when %s', (_, work, text) => {
    expect(codeOf(work)).toBe('CONFIG_INVALID');
    expect(work).toThrow(text);
    expect(work).not.toThrow('hunter2');
  });

  function empty(): string {
    const path = join(dir, 'empty');
    writeFileSync(path, '# no key\n');
    return path;
  }
});
