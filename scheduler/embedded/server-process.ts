import { type ChildProcess, spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { PlatformError } from '#functions';
import type { SchedulerErrorCode } from '../errors.ts';
import { askState, type ServerAddress } from './ask-server.ts';
import { guardServer } from './server-guard.ts';

/** A server process that was started here. */
export interface ServerProcess {
  readonly pid: number;
  /** Resolves when the process has ended, with a sentence about how. */
  readonly ended: Promise<string>;
  /** Resolves when it answers, its data loaded. EMBEDDED_REDIS_FAILED with the server's last words when it does not. */
  ready(): Promise<void>;
  /** SIGTERM, SIGKILL after the deadline; resolves when it has ended. */
  stop(deadlineMs: number): Promise<void>;
}

export interface LaunchOptions {
  readonly command: string;
  readonly configFile: string;
  readonly address: ServerAddress;
}

const POLL_MS = 10;
/** A server that is alive but neither answers nor loads for so long has gone wrong. */
const SILENCE_MS = 20_000;
const KEPT_OUTPUT = 4_000;
const WORDS_LINES = 6;

/** The server ends with this process, however that one ends. Errors: EMBEDDED_REDIS_FAILED when the program cannot be run at all. */
export async function launchServer(options: LaunchOptions): Promise<ServerProcess> {
  // A process group of its own: Ctrl-C in a terminal goes to the platform alone, which stops the server last.
  const child = spawn(options.command, [options.configFile], { detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  const output = collectOutput(child);
  const ended = endOf(child);
  if (child.pid === undefined) throw failed(await ended);
  const guard = guardServer(child.pid);
  let hasEnded = false;
  void ended.then(() => {
    hasEnded = true;
    guard.release();
  });

  async function ready(): Promise<void> {
    let heardMs = performance.now();
    while (!hasEnded) {
      const state = await askState(options.address);
      if (state === 'ready') return;
      if (state === 'loading') heardMs = performance.now();
      if (performance.now() - heardMs > SILENCE_MS) throw failed(`it does not answer; its last words:\n${output()}`);
      await sleep(POLL_MS);
    }
    throw failed(`${await ended}; its last words:\n${output()}`);
  }

  return {
    pid: child.pid,
    ended,
    ready,
    async stop(deadlineMs) {
      if (hasEnded) return;
      child.kill('SIGTERM');
      const deadline = setTimeout(() => child.kill('SIGKILL'), deadlineMs);
      await ended;
      clearTimeout(deadline);
    },
  };
}

function endOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    child.once('error', (error) => resolve(`it could not be run: ${error.message}`));
    child.once('exit', (code, signal) =>
      resolve(signal ? `it was ended by ${signal}` : `it ended with exit code ${code}`),
    );
  });
}

/** The last lines the server printed. */
function collectOutput(child: ChildProcess): () => string {
  let text = '';
  const keep = (chunk: Buffer): void => {
    text = (text + chunk.toString()).slice(-KEPT_OUTPUT);
  };
  child.stdout?.on('data', keep);
  child.stderr?.on('data', keep);
  return () => text.trimEnd().split('\n').slice(-WORDS_LINES).join('\n');
}

export function failed(why: string): PlatformError<SchedulerErrorCode> {
  return new PlatformError('EMBEDDED_REDIS_FAILED', `the embedded server did not start: ${why}`);
}
