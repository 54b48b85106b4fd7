import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

/** A peer in a process of its own: started, ready, waiting for `go`. */
export interface PeerProcess extends AsyncDisposable {
  go(): void;
}

/** Starts `test/bench/peers/<name>.ts`; resolves when it has connected. */
export async function startPeer(name: string, options: object): Promise<PeerProcess> {
  const file = fileURLToPath(new URL(`./peers/${name}.ts`, import.meta.url));
  const child = spawn(process.execPath, [file, JSON.stringify(options)], { stdio: ['pipe', 'pipe', 'inherit'] });
  const exited = once(child, 'exit');
  await firstLine(child, exited);
  return {
    go: () => child.stdin?.write('go\n'),
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      await exited;
    },
  };
}

async function firstLine(child: ChildProcess, exited: Promise<unknown>): Promise<void> {
  const ready = child.stdout === null ? Promise.resolve() : once(child.stdout, 'data');
  await Promise.race([ready, exited]);
  if (child.exitCode !== null) throw new Error(`The peer ended before it was ready (exit code ${child.exitCode}).`);
}
