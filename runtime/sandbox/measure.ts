import type { SandboxUsage, VersionUsage } from '../runtime.ts';
import type { IsolateUsage } from './messages.ts';
import type { SandboxProcess } from './sandbox.ts';
import type { Slot } from './slots.ts';

/** A process that is at work answers when it has come to the question; people do not wait longer for it. */
const PATIENCE_MS = 1_000;

/** What the processes and the versions in them take now; null for versions of a process that is busy or on its end. */
export async function measure(slots: readonly Slot[]): Promise<readonly SandboxUsage[]> {
  return await Promise.all(
    slots.map(async (slot) => {
      const { pid, residentBytes } = slot.process;
      const loaded = [...slot.isolates.values()].map(({ handle, target }) => ({ handle, target }));
      const usages = await usagesOf(slot.process);
      const versions = loaded.map(({ handle, target: { functionName, version } }): VersionUsage => {
        const usage = usages?.find((one) => one.handle === handle);
        if (usage === undefined) return { functionName, version, usage: null };
        const { heapBytes, externalBytes, cpuMs, batches, entries } = usage;
        return { functionName, version, usage: { heapBytes, externalBytes, cpuMs, batches, entries } };
      });
      return { pid, residentBytes, role: slot.role, versions };
    }),
  );
}

async function usagesOf(process: SandboxProcess): Promise<readonly IsolateUsage[] | null> {
  const late = Promise.withResolvers<null>();
  const timer = setTimeout(() => late.resolve(null), PATIENCE_MS);
  try {
    return await Promise.race([process.usage().catch(() => null), late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
