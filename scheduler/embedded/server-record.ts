import { readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { commandLineOf, isRunning, startOf } from './process-identity.ts';

/** What the next start needs to know about a server that was left behind. */
export interface ServerRecord {
  readonly pid: number;
  readonly start: string | null;
  readonly configFile: string;
  /** Directory of the socket outside the data directory, to be removed; null = none. */
  readonly socketDir: string | null;
}

export const SOCKET_FILE = 'redis.sock';
const FILE = 'server.json';
const STOP_DEADLINE_MS = 10_000;
const POLL_MS = 20;

export function writeRecord(dir: string, record: ServerRecord): void {
  writeFileSync(join(dir, FILE), JSON.stringify(record), { mode: 0o600 });
}

export function removeRecord(dir: string): void {
  rmSync(join(dir, FILE), { force: true });
}

/**
 * Stops the server that a platform which died without stopping it has left in this directory. Called under the lock, so
 * nobody else uses it. A process that only has the same pid is left alone.
 */
export async function stopOrphan(dir: string, log: Logger): Promise<void> {
  const record = readRecord(dir);
  if (record === null) return;
  if (isOurs(record)) {
    log.warn({ pid: record.pid }, 'stopping the embedded server that a killed platform left behind');
    process.kill(record.pid, 'SIGTERM');
    if (!(await hasEnded(record.pid, STOP_DEADLINE_MS))) process.kill(record.pid, 'SIGKILL');
    await hasEnded(record.pid, STOP_DEADLINE_MS);
  }
  if (record.socketDir !== null) removeSocketDir(record.socketDir);
  removeRecord(dir);
}

/** Removes a directory made for a socket; one that holds anything else stays. */
export function removeSocketDir(socketDir: string): void {
  try {
    rmSync(join(socketDir, SOCKET_FILE), { force: true });
    rmdirSync(socketDir);
  } catch {
    // Gone already, or not empty and so not ours to remove.
  }
}

function readRecord(dir: string): ServerRecord | null {
  try {
    return JSON.parse(readFileSync(join(dir, FILE), 'utf8')) as ServerRecord;
  } catch {
    // None was left behind, or it was never written whole: then its server never got ready either.
    return null;
  }
}

function isOurs(record: ServerRecord): boolean {
  return startOf(record.pid) === record.start && commandLineOf(record.pid).includes(record.configFile);
}

async function hasEnded(pid: number, deadlineMs: number): Promise<boolean> {
  const deadline = performance.now() + deadlineMs;
  while (isRunning(pid)) {
    if (performance.now() >= deadline) return false;
    await sleep(POLL_MS);
  }
  return true;
}
