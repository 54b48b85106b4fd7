import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { once } from 'node:events';

/*
 * One watcher per test process: a shell that is told the pids of our children and kills what is left of them when its
 * input ends, which also happens when the test process is killed with SIGKILL. Process-wide state is the point here.
 */
const WATCHER =
  'pids=""; while read op pid; do case $op in add) pids="$pids $pid";; del) rest=""; for p in $pids; do [ "$p" = "$pid" ] || rest="$rest $p"; done; pids=$rest;; esac; done; [ -z "$pids" ] || kill -9 $pids 2>/dev/null';

const children = new Set<ChildProcess>();
let watcher: ChildProcess | undefined;

function tellWatcher(line: string): void {
  if (!watcher) {
    watcher = spawn('sh', ['-c', WATCHER], { stdio: ['pipe', 'ignore', 'ignore'], detached: true });
    watcher.unref();
    watcher.on('error', () => {});
    watcher.stdin?.on('error', () => {});
    (watcher.stdin as unknown as { unref?(): void }).unref?.();
    process.once('exit', () => {
      for (const child of children) child.kill('SIGKILL');
    });
  }
  watcher.stdin?.write(`${line}\n`);
}

/** Spawns a process that dies with this one, whatever way this one dies. */
export function spawnTracked(command: string, args: readonly string[], options: SpawnOptions = {}): ChildProcess {
  return trackChild(spawn(command, [...args], options));
}

/** Makes a process that was started elsewhere die with this one. */
export function trackChild(child: ChildProcess): ChildProcess {
  const { pid } = child;
  if (pid === undefined) return child;
  children.add(child);
  tellWatcher(`add ${pid}`);
  child.once('exit', () => {
    children.delete(child);
    tellWatcher(`del ${pid}`);
  });
  return child;
}

/** Sends `signal` and resolves when the process has gone; SIGKILL after `graceMs` (default 5,000). */
export async function endChild(child: ChildProcess, signal: NodeJS.Signals, graceMs = 5_000): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  const gone = once(child, 'exit');
  child.kill(signal);
  const timer = setTimeout(() => child.kill('SIGKILL'), graceMs);
  await gone;
  clearTimeout(timer);
}
