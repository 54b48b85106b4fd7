import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes } from 'node:crypto';
import { PlatformError } from '../errors.ts';
import type { VariableName } from './variable.ts';

/** A value as it is stored. */
export interface SealedValue {
  /** `v1:<key id>:<base64>` of nonce, tag and ciphertext. */
  readonly text: string;
  readonly fingerprint: string;
}

/**
 * Keys of a fleet: the first one seals, any of them opens. AES-256-GCM with a random nonce for each value; function, kind and name
 * are authenticated with it, so that what was sealed for one variable opens as no other.
 */
export interface KeyRing {
  /** Id of the key that seals; null = there is no key. */
  readonly keyId: string | null;
  /** Errors: SECRETS_KEY_MISSING. */
  seal(variable: VariableName, value: string): SealedValue;
  /** Errors: SECRET_UNREADABLE, which says whether the key is missing or the text is not what it was. */
  open(variable: VariableName, text: string): string;
  /** True when the text was sealed with the key that seals now. */
  isCurrent(text: string): boolean;
}

interface Key {
  readonly id: string;
  readonly sealing: Buffer;
  readonly marking: Buffer;
}

const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const CIPHER = 'aes-256-gcm';
const SEALED = /^v1:([0-9a-f]{8}):([A-Za-z0-9+/]+={0,2})$/;

/**
 * Reads keys: 32 bytes each, as base64 or hex, separated by lines, spaces or commas; `#` begins a comment. The first one seals.
 * @param text '' = no key. @param origin names the place in errors, which never show what is there.
 * Errors: ARGUMENT_INVALID.
 */
export function createKeyRing(text: string, origin: string): KeyRing {
  const keys = keysIn(text, origin).map(deriveKeys);
  const [first] = keys;
  return {
    keyId: first?.id ?? null,
    seal(variable, value) {
      if (first === undefined) throw keyMissing();
      const nonce = randomBytes(NONCE_BYTES);
      const cipher = createCipheriv(CIPHER, first.sealing, nonce, { authTagLength: TAG_BYTES });
      cipher.setAAD(labelOf(variable));
      const sealed = Buffer.concat([cipher.update(value, 'utf8'), cipher.final()]);
      const body = Buffer.concat([nonce, cipher.getAuthTag(), sealed]).toString('base64');
      return { text: `v1:${first.id}:${body}`, fingerprint: fingerprintOf(first, variable, value) };
    },
    open(variable, sealedText) {
      const [, id = '', body = ''] = SEALED.exec(sealedText) ?? [];
      const key = keys.find((each) => each.id === id);
      if (id === '') throw unreadable(variable, 'it is not in a form that a key has sealed');
      if (key === undefined) throw unreadable(variable, `this node does not have the key ${id} that sealed it`);
      try {
        return openWith(key, variable, Buffer.from(body, 'base64'));
      } catch (cause) {
        throw unreadable(variable, 'it is not what was sealed for it: set it again', cause);
      }
    },
    isCurrent: (sealedText) => first !== undefined && sealedText.startsWith(`v1:${first.id}:`),
  };
}

/** A new key, as `createKeyRing` reads it. */
export function generateKey(): string {
  return randomBytes(KEY_BYTES).toString('base64');
}

function keysIn(text: string, origin: string): readonly Buffer[] {
  const words = text
    .split('\n')
    .flatMap((line) => line.replace(/#.*$/, '').split(/[\s,]+/))
    .filter((word) => word !== '');
  return words.map((word, at) => {
    const key = bytesOf(word);
    if (key !== null) return key;
    throw new PlatformError(
      'ARGUMENT_INVALID',
      `key ${at + 1} of ${words.length} in ${origin} is no key: allowed are 32 bytes as base64 or hex, such as \`openssl rand -base64 32\` prints`,
    );
  });
}

function bytesOf(word: string): Buffer | null {
  if (/^[0-9a-f]{64}$/i.test(word)) return Buffer.from(word, 'hex');
  if (!/^[A-Za-z0-9+/]{43}=?$/.test(word)) return null;
  const bytes = Buffer.from(word, 'base64');
  return bytes.length === KEY_BYTES ? bytes : null;
}

/** One key for each use: a fingerprint that is shown says nothing of the key that seals. */
function deriveKeys(key: Buffer): Key {
  const derive = (use: string, bytes: number): Buffer =>
    Buffer.from(hkdfSync('sha256', key, '', `regears ${use} v1`, bytes));
  return {
    id: derive('key id', 4).toString('hex'),
    sealing: derive('seal variables', KEY_BYTES),
    marking: derive('mark variables', KEY_BYTES),
  };
}

function openWith(key: Key, variable: VariableName, body: Buffer): string {
  const tagEnd = NONCE_BYTES + TAG_BYTES;
  const decipher = createDecipheriv(CIPHER, key.sealing, body.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES });
  decipher.setAAD(labelOf(variable));
  decipher.setAuthTag(body.subarray(NONCE_BYTES, tagEnd));
  return Buffer.concat([decipher.update(body.subarray(tagEnd)), decipher.final()]).toString('utf8');
}

function fingerprintOf(key: Key, variable: VariableName, value: string): string {
  const mark = createHmac('sha256', key.marking).update(labelOf(variable)).update('\0').update(value, 'utf8');
  return mark.digest('hex').slice(0, 8);
}

/** JSON keeps the parts apart whatever is in them. */
function labelOf({ functionName, kind, name }: VariableName): Buffer {
  return Buffer.from(JSON.stringify(['regears variable v1', functionName, kind, name]), 'utf8');
}

function keyMissing(): PlatformError {
  return new PlatformError(
    'SECRETS_KEY_MISSING',
    'this node has no key to seal secrets with: name a file of keys with --secrets-key-file, or give them in REGEARS_SECRETS_KEY',
  );
}

function unreadable({ functionName, kind, name }: VariableName, why: string, cause?: unknown): PlatformError {
  const what = `the ${kind === 'env' ? 'variable' : 'secret'} ${name} of ${functionName} cannot be read: ${why}`;
  return new PlatformError('SECRET_UNREADABLE', what, { cause, details: { functionName, kind, name } });
}
