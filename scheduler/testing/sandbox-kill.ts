import { setTimeout as sleep } from 'node:timers/promises';
import { PlatformError } from '#functions';
import type { Runtime } from '#runtime';

const DEADLINE_MS = 10_000;
const POLL_MS = 5;

/** Kills (SIGKILL) every process in which the function is loaded, and resolves when the runtime knows. */
export async function killSandbox(runtime: Pick<Runtime, 'inspectPool'>, functionName: string): Promise<void> {
  const processes = (): readonly number[] =>
    runtime
      .inspectPool()
      .filter(({ versions }) => versions.some((version) => version.functionName === functionName))
      .map(({ pid }) => pid);
  const killed = processes();
  for (const pid of killed) process.kill(pid, 'SIGKILL');
  const deadlineMs = performance.now() + DEADLINE_MS;
  while (runtime.inspectPool().some(({ pid }) => killed.includes(pid))) {
    if (performance.now() > deadlineMs) {
      throw new PlatformError('SANDBOX_DIED', `the sandbox process ${killed.join(', ')} does not end after SIGKILL`);
    }
    await sleep(POLL_MS);
  }
}
