import type { LoadableVersion } from '#functions';
import type { ConsumerLog } from './contracts.ts';
import { pause } from './redis-calls.ts';
import type { ConsumedRegistration } from './registration.ts';

export interface VersionLoaderOptions {
  readonly loadable: (name: string, version: number) => Promise<LoadableVersion>;
  readonly signal: AbortSignal;
  readonly log: ConsumerLog;
}

const PAUSE_MS = 500;

/**
 * Loads versions that entries belong to. A version that is gone hands its entries to the active one. Null when the
 * registration stops meanwhile.
 */
export function createVersionLoader({ loadable, signal, log }: VersionLoaderOptions) {
  return async (registration: ConsumedRegistration, version: number): Promise<LoadableVersion | null> => {
    const { functionName } = registration.active;
    for (let wanted = version; registration.running && !signal.aborted; ) {
      try {
        const target = await loadable(functionName, wanted);
        registration.targets.set(version, target);
        return target;
      } catch (error) {
        log.error({ err: error, function: functionName, version: wanted }, 'a version could not be loaded');
        if (wanted !== registration.active.version) wanted = registration.active.version;
        else await pause(PAUSE_MS, signal).catch(() => undefined);
      }
    }
    return null;
  };
}
