import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import process from 'node:process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { trackChild } from '../support/children.ts';

/** A peer or a load generator in a process of its own: started, connected, waiting for the first line. */
export interface BenchChild extends AsyncDisposable {
  readonly pid: number;
  /** What its `ready` line said besides; a port, mostly. */
  readonly says: string;
  /** Lets it begin. */
  go(): void;
  /** Sends a line and resolves with the JSON of the line that answers it. */
  ask<Answer>(question: object): Promise<Answer>;
}

/** Starts `test/bench/peers/<name>.ts`; resolves when it has said that it is ready. */
export async function startPeer(name: string, options: object): Promise<BenchChild> {
  return await start(`peers/${name}.ts`, options);
}

/** Starts `test/bench/loads/<name>.ts`, lets it do its work, answers what it has found. */
export async function runLoad<Answer>(name: string, options: object): Promise<Answer> {
  await using child = await start(`loads/${name}.ts`, options);
  return await child.ask<Answer>({});
}

/** A load generator that is asked more than once. */
export async function startLoad(name: string, options: object): Promise<BenchChild> {
  return await start(`loads/${name}.ts`, options);
}

async function start(path: string, options: object): Promise<BenchChild> {
  const file = fileURLToPath(new URL(path, import.meta.url));
  const child = spawn(process.execPath, [file, JSON.stringify(options)], { stdio: ['pipe', 'pipe', 'inherit'] });
  trackChild(child);
  const lines = linesOf(child, path);
  const ready = await lines();
  const write = (line: string): void => void child.stdin?.write(`${line}\n`);
  return {
    pid: child.pid ?? -1,
    says: ready.replace(/^ready ?/, ''),
    go: () => write('go'),
    ask: async (question) => {
      write(JSON.stringify(question));
      return JSON.parse(await lines());
    },
    async [Symbol.asyncDispose]() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const exited = once(child, 'exit');
      child.kill('SIGKILL');
      await exited;
    },
  };
}

/** Resolves with line after line; rejects when the process has ended instead. */
function linesOf(child: ChildProcess, path: string): () => Promise<string> {
  if (child.stdout === null) throw new Error('The process has no standard output.');
  const iterator = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return async () => {
    const { value, done } = await iterator.next();
    if (done) throw new Error(`${path} ended before it had answered (exit code ${child.exitCode}).`);
    return value;
  };
}
