import type { DeathEvent, QuarantineEvent, Runtime } from '#runtime';

/** What has happened to sandboxes since the node began. */
export interface SandboxCounts extends Disposable {
  readonly deaths: ReadonlyMap<DeathEvent['cause'], number>;
  /** By name of the function whose work the process died over. */
  readonly crashes: ReadonlyMap<string, number>;
  readonly quarantines: ReadonlyMap<QuarantineEvent['verdict'], number>;
}

export function createSandboxCounts({
  runtime,
}: {
  readonly runtime: Pick<Runtime, 'onDeath' | 'onQuarantine'>;
}): SandboxCounts {
  // What has not happened yet counts 0, so that the first time is an increase.
  const deaths = new Map<DeathEvent['cause'], number>(
    (['call-time', 'memory', 'protocol', 'unresponsive', 'exit', 'outside'] as const).map((cause) => [cause, 0]),
  );
  const crashes = new Map<string, number>();
  const quarantines = new Map<QuarantineEvent['verdict'], number>([
    ['alone', 0],
    ['stopped', 0],
  ]);
  const forgetDeaths = runtime.onDeath(({ cause, functionName }) => {
    increase(deaths, cause);
    if (functionName !== null) increase(crashes, functionName);
  });
  const forgetQuarantines = runtime.onQuarantine(({ verdict }) => increase(quarantines, verdict));
  return {
    deaths,
    crashes,
    quarantines,
    [Symbol.dispose]() {
      forgetDeaths();
      forgetQuarantines();
    },
  };
}

function increase<Key>(counts: Map<Key, number>, key: Key): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
