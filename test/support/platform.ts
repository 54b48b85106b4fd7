import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { Redis } from 'ioredis';
import { isRunning } from '../../scheduler/embedded/process-identity.ts';
import { trackChild } from './children.ts';
import { waitFor } from './wait.ts';

/** A platform node in a process group of its own, started the way a user starts it. */
export interface PlatformProcess extends AsyncDisposable {
  readonly pid: number;
  readonly respPort: number;
  readonly httpPort: number;
  /** What it wrote to its log (stderr), so far. */
  log(): string;
  /** A client of its RESP door; closed with the process. */
  readonly door: Redis;
  /** SIGKILL; resolves when it is gone. */
  kill(): Promise<void>;
  /** SIGTERM and a graceful end; resolves with the exit code. */
  stop(): Promise<number | null>;
  signal(name: NodeJS.Signals): void;
  /** Resolves with the exit code when it has ended; null when a signal ended it. */
  exited(): Promise<number | null>;
}

export interface PlatformProcessOptions {
  /** Further flags of `regears start`. */
  readonly flags?: readonly string[];
  /** External Redis; without it the embedded one is used, in a data directory that is removed afterwards. */
  readonly redisUrl?: string;
  readonly env?: Readonly<Record<string, string>>;
}

const BIN = fileURLToPath(new URL('../../scheduler/cli/regears.js', import.meta.url));
const START_DEADLINE_MS = 60_000;
/** Longer than a node may take for its graceful end. */
const END_DEADLINE_MS = 75_000;

/** Starts `regears start` on free ports and waits for its ready line. */
export async function startPlatformProcess(options: PlatformProcessOptions = {}): Promise<PlatformProcess> {
  const dataDir = await mkdtemp(join(tmpdir(), 'regears-test-'));
  const redis = options.redisUrl === undefined ? [] : ['--redis', options.redisUrl];
  const flags = ['--resp-port', '0', '--http-port', '0', '--data-dir', dataDir, ...redis, ...(options.flags ?? [])];
  const child = spawn(process.execPath, [BIN, 'start', '--json', ...flags], {
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
    env: { ...cleanEnvironment(), ...options.env },
  });
  const exited = once(child, 'exit');
  trackChild(child);
  const log = collect(child);
  const { respPort, httpPort } = await readyLine(child, log);
  const door = new Redis({ port: respPort, lazyConnect: true, maxRetriesPerRequest: null });
  door.on('error', () => undefined);
  const end = async (name: NodeJS.Signals): Promise<number | null> => {
    door.disconnect();
    if (child.exitCode === null && child.signalCode === null) child.kill(name);
    const timer = setTimeout(() => child.kill('SIGKILL'), END_DEADLINE_MS);
    await exited;
    clearTimeout(timer);
    if (child.signalCode === 'SIGKILL' && name !== 'SIGKILL') {
      throw new Error(`The platform did not end ${END_DEADLINE_MS} ms after ${name}. Its log:\n${log().slice(-4000)}`);
    }
    return child.exitCode;
  };
  return {
    pid: child.pid ?? -1,
    respPort,
    httpPort,
    log,
    door,
    kill: async () => void (await end('SIGKILL')),
    stop: () => end('SIGTERM'),
    signal: (name) => void child.kill(name),
    exited: async () => {
      await exited;
      return child.exitCode;
    },
    async [Symbol.asyncDispose]() {
      await end('SIGKILL');
      await serverGone(dataDir);
      await rm(dataDir, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

/** The embedded server of a killed platform ends by itself; until then its files are not ours to remove. */
async function serverGone(dataDir: string): Promise<void> {
  const text = await readFile(join(dataDir, 'redis', 'server.json'), 'utf8').catch(() => null);
  if (text === null) return;
  const { pid } = JSON.parse(text) as { pid: number };
  await waitFor(() => !isRunning(pid), { what: `the embedded server ${pid} ends with its platform` });
}

/** The environment without settings of a platform that the developer may have set. */
function cleanEnvironment(): Record<string, string> {
  const entries = Object.entries(process.env).filter(([name]) => !/^(REGEARS|OTEL)_/.test(name));
  return Object.fromEntries(entries) as Record<string, string>;
}

function collect(child: ChildProcess): () => string {
  const chunks: string[] = [];
  child.stderr?.on('data', (chunk: Buffer) => {
    chunks.push(chunk.toString());
    if (chunks.length > 5000) chunks.splice(0, 2500);
  });
  return () => chunks.join('');
}

async function readyLine(child: ChildProcess, log: () => string): Promise<{ respPort: number; httpPort: number }> {
  if (child.stdout === null) throw new Error('The platform has no standard output.');
  const deadline = AbortSignal.timeout(START_DEADLINE_MS);
  const lines = createInterface({ input: child.stdout });
  try {
    const ended = once(lines, 'close', { signal: deadline }).then(() => {
      throw new Error('It has ended.');
    });
    const [line] = await Promise.race([once(lines, 'line', { signal: deadline }) as Promise<[string]>, ended]);
    ended.catch(() => {});
    const ready = JSON.parse(line) as { resp: string; http: string };
    const portOf = (address: string): number => Number(address.slice(address.lastIndexOf(':') + 1));
    return { respPort: portOf(ready.resp), httpPort: portOf(ready.http) };
  } catch (error) {
    child.kill('SIGKILL');
    throw new Error(`The platform did not become ready. Its log:\n${log().slice(-4000)}`, { cause: error });
  }
}
