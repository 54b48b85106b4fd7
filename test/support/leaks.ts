import type { Redis } from 'ioredis';
import { waitFor } from './wait.ts';

/** Names of everything that keeps the event loop alive, with how many there are of each. */
export function activeHandles(): Map<string, number> {
  const counts = new Map<string, number>();
  for (const name of process.getActiveResourcesInfo()) counts.set(name, (counts.get(name) ?? 0) + 1);
  return counts;
}

/** Sockets, pipes, servers and timers above the baseline, as `Name +n`. */
function grownSince(baseline: ReadonlyMap<string, number>): string[] {
  const watched = /Socket|TCP|Pipe|Server|Timeout|Process|Worker|MessagePort/;
  return [...activeHandles()]
    .filter(([name, count]) => watched.test(name) && count > (baseline.get(name) ?? 0))
    .map(([name, count]) => `${name} +${count - (baseline.get(name) ?? 0)}`);
}

/** Connections of a server whose name begins with `namePrefix` (all others than the asking one by default). */
export async function clientNames(redis: Redis, namePrefix = ''): Promise<string[]> {
  const own = String(await redis.client('ID'));
  const lines = String(await redis.client('LIST'))
    .trim()
    .split('\n');
  return lines
    .filter((line) => !line.startsWith(`id=${own} `))
    .map((line) => / name=(\S*)/.exec(line)?.[1] ?? '')
    .filter((name) => name.startsWith(namePrefix));
}

/**
 * Runs `work` and then waits until this process holds no more sockets, timers and children than before, and `redis`
 * (when given) no more connections. Throws naming what was left.
 */
export async function withoutLeaks<T>(work: () => Promise<T>, redis?: Redis): Promise<T> {
  const connections = redis ? (await clientNames(redis)).length : 0;
  const baseline = activeHandles();
  const result = await work();
  let left: string[] = [];
  await waitFor(
    async () => {
      left = grownSince(baseline);
      if (redis) {
        const names = await clientNames(redis);
        if (names.length > connections) left.push(`connections of redis: ${names.join(', ')}`);
      }
      return left.length === 0;
    },
    { intervalMs: 20, what: 'handles and connections to be back at the baseline' },
  ).catch((error: unknown) => {
    throw new Error(`left behind: ${left.join('; ')}`, { cause: error });
  });
  return result;
}
