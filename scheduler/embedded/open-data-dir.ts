import { accessSync, constants, lstatSync, mkdirSync, realpathSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { PlatformError } from '#functions';
import type { SchedulerErrorCode } from '../errors.ts';

/**
 * Makes the directory of the embedded server (`redis` below the data directory) where it is not there, and returns its real
 * path. Errors: CONFIG_INVALID that names the setting, its value, and what stands in the way.
 */
export function openDataDir(dataDir: string): string {
  const dir = join(resolve(dataDir), 'redis');
  const why = makeDir(dir) ?? attempt(dir, () => accessSync(dir, constants.R_OK | constants.W_OK | constants.X_OK));
  if (why === null) return realpathSync(dir);
  throw new PlatformError<SchedulerErrorCode>(
    'CONFIG_INVALID',
    `data-dir is ${dataDir}, which cannot be used: ${why}; choose another directory with --data-dir (REGEARS_DATA_DIR)`,
    { details: { dataDir } },
  );
}

/**
 * Returns what stands in the way, or null. One level after the other: Node's own `recursive` never comes back where a file
 * system makes no directories (/proc).
 */
function makeDir(dir: string): string | null {
  const there = kindOf(dir);
  if (there === 'directory') return null;
  if (there !== 'nothing') return there;
  return makeDir(dirname(dir)) ?? attempt(dir, () => mkdirSync(dir, { mode: 0o700 }));
}

/** `directory`, `nothing`, or a sentence about what is there instead. */
function kindOf(path: string): string {
  try {
    const found = statSync(path, { throwIfNoEntry: false });
    if (found?.isDirectory()) return 'directory';
    if (found !== undefined) return `${path} is a file, not a directory`;
    return lstatSync(path, { throwIfNoEntry: false }) === undefined ? 'nothing' : `${path} is a link to nothing`;
  } catch (error) {
    // Below a file, or behind a directory this user may not enter.
    const { code } = error as NodeJS.ErrnoException;
    return code === 'ENOTDIR' ? kindOf(dirname(path)) : reasonOf(error as NodeJS.ErrnoException, path);
  }
}

function attempt(dir: string, work: () => void): string | null {
  try {
    work();
    return null;
  } catch (error) {
    // Another node began at the same moment.
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return null;
    return reasonOf(error as NodeJS.ErrnoException, dir);
  }
}

function reasonOf({ code, message }: NodeJS.ErrnoException, path: string): string {
  const reasons: Readonly<Record<string, string>> = {
    EACCES: `this user has no right to ${path}`,
    EPERM: `the system does not permit a directory ${path}`,
    EROFS: `${path} is on a read-only file system`,
    ENOENT: `no directory can be made in ${dirname(path)}`,
    ENOSPC: `the disk of ${path} is full`,
    ENAMETOOLONG: 'the name is too long',
  };
  return reasons[code ?? ''] ?? message;
}
