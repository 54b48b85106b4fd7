import { linkSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { createKeyRing, generateKey, type KeyRing, PlatformError } from '#functions';
import type { SchedulerErrorCode } from '../errors.ts';
import type { Log } from '../log.ts';
import type { Settings } from '../settings.ts';

export interface KeyRingOptions {
  readonly settings: Pick<Settings, 'secretsKeyFile' | 'redisUrl' | 'dataDir'>;
  /** Keys themselves, from `REGEARS_SECRETS_KEY`; undefined or empty = none. */
  readonly given: string | undefined;
  readonly log: Log;
}

const VARIABLE = 'REGEARS_SECRETS_KEY';
const OWN_FILE = 'secrets.key';
const OTHERS_MAY_READ = 0o077;

/**
 * The keys of this node: from the environment, else from the file that is named, else, where the node brings its own Redis, from a file
 * beside its data, which is made once and that only its owner may read. Otherwise there is none. Errors: CONFIG_INVALID.
 */
export function openKeyRing({ settings, given = '', log }: KeyRingOptions): KeyRing {
  const { secretsKeyFile, redisUrl, dataDir } = settings;
  if (given.trim() !== '') {
    if (secretsKeyFile === null) return readKeys(given, VARIABLE);
    throw invalid(`secrets-key-file is ${secretsKeyFile}, and ${VARIABLE} is set as well: keep one of them`);
  }
  if (secretsKeyFile !== null) return readFile(secretsKeyFile, log);
  if (redisUrl !== null) return createKeyRing('', 'nowhere');
  return readFile(ownFile(join(resolve(dataDir), OWN_FILE), log), log);
}

/** The file of a node with a Redis of its own. Comes to be as a whole or not at all. */
function ownFile(path: string, log: Log): string {
  if (statSync(path, { throwIfNoEntry: false }) !== undefined) return path;
  const unfinished = `${path}.${process.pid}`;
  try {
    writeFileSync(unfinished, `${generateKey()}\n`, { mode: 0o600, flag: 'wx', flush: true });
    linkSync(unfinished, path);
    log.info(
      { file: path },
      'a key for secrets was made; without it nobody reads them again, so keep a copy apart from the data',
    );
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'EEXIST') throw cannotUse(path, cause);
  } finally {
    rmSync(unfinished, { force: true });
  }
  return path;
}

function readFile(path: string, log: Log): KeyRing {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
    if ((statSync(path).mode & OTHERS_MAY_READ) !== 0) {
      log.warn({ file: path }, 'others than its owner may read the keys for secrets: chmod 600');
    }
  } catch (cause) {
    throw cannotUse(path, cause);
  }
  const ring = readKeys(text, path);
  if (ring.keyId === null) throw invalid(`the file of keys for secrets ${path} holds no key`);
  return ring;
}

function readKeys(text: string, origin: string): KeyRing {
  try {
    return createKeyRing(text, origin);
  } catch (reason) {
    throw invalid(PlatformError.from(reason, 'CONFIG_INVALID').message);
  }
}

function cannotUse(path: string, cause: unknown): PlatformError {
  const { message } = PlatformError.from(cause, 'CONFIG_INVALID');
  return invalid(`the file of keys for secrets (--secrets-key-file) cannot be used: ${path}: ${message}`, cause);
}

function invalid(message: string, cause?: unknown): PlatformError {
  return new PlatformError<SchedulerErrorCode>('CONFIG_INVALID', message, { cause });
}
