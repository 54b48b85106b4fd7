import { randomBytes } from 'node:crypto';
import { linkSync, readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { PlatformError } from '#functions';
import type { SchedulerErrorCode } from '../errors.ts';
import { startOf } from './process-identity.ts';

/** The right to use a data directory; given back by `release` or by the death of the process. */
export interface DataDirLock {
  release(): void;
}

interface Owner {
  readonly pid: number;
  readonly host: string;
  readonly start: string | null;
  /** Random: tells two locks of one process apart. */
  readonly token: string;
}

const FILE = 'platform.lock';
const TOUCH_MS = 5_000;
/** An owner on another host (a container, a shared disk) cannot be looked up: its lock holds while it is touched. */
const UNTOUCHED_MS = 20_000;
const MOST_ATTEMPTS = 5;

/** Errors: EMBEDDED_REDIS_FAILED naming the process that has the directory. */
export function lockDataDir(dir: string): DataDirLock {
  const file = join(dir, FILE);
  const own: Owner = {
    pid: process.pid,
    host: hostname(),
    start: startOf(process.pid),
    token: randomBytes(8).toString('hex'),
  };
  for (let attempt = 1; !create(file, own); attempt++) {
    const owner = readOwner(file);
    if (owner !== null && isInForce(file, owner)) throw taken(dir, owner);
    if (attempt >= MOST_ATTEMPTS) throw taken(dir, owner);
    removeStale(file, owner);
  }
  const touching = setInterval(() => touch(file), TOUCH_MS);
  touching.unref();
  return {
    release() {
      clearInterval(touching);
      if (readOwner(file)?.token === own.token) rmSync(file, { force: true });
    },
  };
}

/** Written whole before it has its name, so that nobody reads half of it. */
function create(file: string, own: Owner): boolean {
  const draft = `${file}.${own.token}`;
  writeFileSync(draft, JSON.stringify(own), { mode: 0o600 });
  try {
    linkSync(draft, file);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') return false;
    // A disk without hard links.
    if (code === 'EPERM' || code === 'ENOTSUP' || code === 'ENOSYS') return createPlain(file, own);
    throw error;
  } finally {
    rmSync(draft, { force: true });
  }
}

function createPlain(file: string, own: Owner): boolean {
  try {
    writeFileSync(file, JSON.stringify(own), { flag: 'wx', mode: 0o600 });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** Moves the stale lock aside; should somebody else have taken the directory just then, theirs is put back. */
function removeStale(file: string, stale: Owner | null): void {
  const aside = `${file}.${randomBytes(8).toString('hex')}`;
  try {
    renameSync(file, aside);
  } catch {
    // Somebody else was faster.
    return;
  }
  const moved = readOwner(aside);
  if (moved !== null && moved.token !== stale?.token) renameSync(aside, file);
  else rmSync(aside, { force: true });
}

function isInForce(file: string, owner: Owner): boolean {
  if (owner.host !== hostname()) return Date.now() - touchedAtMs(file) < UNTOUCHED_MS;
  const start = startOf(owner.pid);
  return start !== null && start === owner.start;
}

function readOwner(file: string): Owner | null {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Owner;
  } catch {
    // Gone meanwhile, or not written by this program: nobody's.
    return null;
  }
}

function touchedAtMs(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

function touch(file: string): void {
  try {
    utimesSync(file, new Date(), new Date());
  } catch {
    // The directory was removed under us; the server will complain, not the lock.
  }
}

function taken(dir: string, owner: Owner | null): PlatformError<SchedulerErrorCode> {
  const who = owner === null ? 'another platform' : `the platform with pid ${owner.pid} on ${owner.host}`;
  return new PlatformError(
    'EMBEDDED_REDIS_FAILED',
    `the data directory ${dir} is in use by ${who}; stop that one or choose another directory with --data-dir`,
    { details: { dir, pid: owner?.pid ?? null } },
  );
}
