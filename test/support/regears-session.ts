import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import process from 'node:process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { endChild, trackChild } from './children.ts';
import { waitFor } from './wait.ts';

export type SessionEvent = Readonly<Record<string, unknown>>;

/** A `regears … --json` that goes on until it is told to end. */
export interface RegearsSession extends AsyncDisposable {
  readonly pid: number;
  /** What it has told so far. */
  readonly events: readonly SessionEvent[];
  /** Resolves with the first event that fits among those told after `mark()` was last called (at first: all). */
  next(what: string, fits: (event: SessionEvent) => boolean): Promise<SessionEvent>;
  /** What has been told up to now is not looked at any more. */
  mark(): void;
  stderr(): string;
  /** Resolves with the exit code after the signal. */
  end(signal: NodeJS.Signals): Promise<number | null>;
}

const BIN = fileURLToPath(new URL('../../scheduler/cli/regears.js', import.meta.url));

export function startSession(
  args: readonly string[],
  options: { readonly cwd: string; readonly env?: Readonly<Record<string, string>> },
): RegearsSession {
  const env = { PATH: process.env.PATH ?? '', ...options.env };
  const child: ChildProcess = trackChild(
    spawn(process.execPath, [BIN, ...args, '--json'], { cwd: options.cwd, env, stdio: ['ignore', 'pipe', 'pipe'] }),
  );
  const exited = once(child, 'exit');
  const events: SessionEvent[] = [];
  let errors = '';
  let marked = 0;
  if (child.stdout === null) throw new Error('no standard output');
  createInterface({ input: child.stdout }).on('line', (line) => events.push(JSON.parse(line) as SessionEvent));
  child.stderr?.on('data', (chunk: Buffer) => {
    errors += chunk.toString();
  });
  return {
    pid: child.pid ?? -1,
    events,
    async next(what, fits) {
      const found = () => {
        if (child.exitCode !== null) throw new Error(`it has ended with ${child.exitCode}: ${errors}`);
        return events.slice(marked).find(fits);
      };
      return await waitFor(found, { what: `${what}; told so far: ${JSON.stringify(events.slice(-5))} ${errors}` });
    },
    mark: () => {
      marked = events.length;
    },
    stderr: () => errors,
    async end(signal) {
      child.kill(signal);
      await exited;
      return child.exitCode;
    },
    async [Symbol.asyncDispose]() {
      await endChild(child, 'SIGTERM', 10_000);
    },
  };
}
