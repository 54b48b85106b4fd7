import type { RedisAccess } from '#functions';
import type { Log } from '../log.ts';
import { packageVersion } from '../package-root.ts';
import type { Settings } from '../settings.ts';
import type { Tracing } from '../tracing/tracing.ts';

export interface TracingGround {
  readonly settings: Settings;
  readonly access: RedisAccess;
  readonly log: Log;
}

/** Null where no collector is named: then nothing of it is loaded, and nothing stands around executions. */
export async function openTracing(
  { settings, access, log }: TracingGround,
  opening: AsyncDisposableStack,
): Promise<Tracing | null> {
  const { endpoint } = settings.trace;
  if (endpoint === null) return null;
  const { createTracing } = await import('../tracing/create-tracing.ts');
  const { nodeId } = settings;
  const version = packageVersion();
  return opening.use(
    createTracing({ settings: { ...settings.trace, endpoint }, nodeId, version, commands: access.commands, log }),
  );
}
