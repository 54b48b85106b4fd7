import { type Artifact, type LoadableVersion, PlatformError, type RedisAccess } from '#functions';
import type { SchedulerErrorCode } from '../errors.ts';
import type { SchedulerKeys } from '../keys.ts';
import type { ExecutionPlan } from './execution-plan.ts';

/** What queued executions run: their sources are in no registry. */
export interface ArtifactCache {
  /** Makes an artifact known to all nodes for as long as executions are kept. */
  store(artifact: Artifact): Promise<void>;
  /** Errors: EXECUTION_ABORTED when it is gone. */
  load(plan: ExecutionPlan): Promise<LoadableVersion>;
}

const CACHED = 20;

export function createArtifactCache(
  { client }: Pick<RedisAccess, 'client'>,
  keys: Pick<SchedulerKeys, 'executionArtifact'>,
  lifeMs: number,
): ArtifactCache {
  const cached = new Map<string, Artifact>();
  const remember = (artifact: Artifact): Artifact => {
    cached.delete(artifact.sha256);
    cached.set(artifact.sha256, artifact);
    for (const sha256 of [...cached.keys()].slice(0, -CACHED)) cached.delete(sha256);
    return artifact;
  };
  return {
    async store(artifact) {
      remember(artifact);
      await client.set(keys.executionArtifact(artifact.sha256), JSON.stringify(artifact), 'PX', lifeMs);
    },
    async load({ id, functionName, version, sha256, limits, settings, rules }) {
      const what = { functionName, version, limits, settings, rules };
      const known = cached.get(sha256);
      if (known !== undefined) return { ...what, artifact: known };
      const stored = await client.get(keys.executionArtifact(sha256));
      if (stored === null) {
        const text = `the source of execution ${id} is gone (setting execution-keep)`;
        throw new PlatformError<SchedulerErrorCode>('EXECUTION_ABORTED', text);
      }
      return { ...what, artifact: remember(JSON.parse(stored) as Artifact) };
    },
  };
}
