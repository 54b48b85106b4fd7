import { spawn } from 'node:child_process';
import type { Writable } from 'node:stream';

/** Stands between a server and a platform that ends without stopping it. */
export interface ServerGuard {
  /** The server has ended by itself or was stopped; nothing happens any more. */
  release(): void;
}

/** Its standard input is a pipe that only this process holds: however this process ends, the pipe ends with it. */
const WAIT_THEN_STOP = 'read -r _; kill -TERM "$0"';

/**
 * Sends SIGTERM to the process `pid` as soon as this process is gone, whatever ended it: the server writes its log to the
 * end and goes. Until `release` is called.
 */
export function guardServer(pid: number): ServerGuard {
  const child = spawn('sh', ['-c', WAIT_THEN_STOP, String(pid)], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  // Without a guard the next start with the same directory finds the server and ends it.
  child.on('error', () => {});
  child.stdin?.on('error', () => {});
  child.unref();
  (child.stdin as (Writable & { unref?(): void }) | null)?.unref?.();
  return {
    release() {
      child.kill('SIGKILL');
    },
  };
}
