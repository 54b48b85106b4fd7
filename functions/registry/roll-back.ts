import { randomUUID } from 'node:crypto';
import { PlatformError } from '../errors.ts';
import { parseEntryId, previousEntryId, ZERO_ENTRY_ID } from '../model/entry-id.ts';
import { putInForce } from './put-in-force.ts';
import type { FunctionRecord, LoadFunctionResult, Rewind, VersionRecord } from './registry.ts';
import { type RegistryContext, requireFunction, secretsOf, versionNotFound } from './registry-context.ts';
import { writeFunction } from './registry-storage.ts';
import { changeRegistry } from './transaction.ts';

export interface RollBackRequest {
  readonly name: string;
  /** Left out: the greatest kept version below the active one. */
  readonly version: number | undefined;
  /** First entry that runs again; left out: none. */
  readonly fromId: string | undefined;
}

/** @see Registry.rollback */
export async function rollBack(context: RegistryContext, request: RollBackRequest): Promise<LoadFunctionResult> {
  const { name } = request;
  const rewind = request.fromId === undefined ? null : rewindTo(request.fromId);
  const nowMs = context.nowMs();
  let activeAtFirst: number | null | undefined;
  return changeRegistry(context.storage, async (snapshot) => {
    const before = requireFunction(snapshot, name);
    if (activeAtFirst === undefined) activeAtFirst = before.activeVersion;
    else if (request.version === undefined) refuseMoved(before, activeAtFirst);

    const version = targetOf(request, before, await context.storage.versions(name));
    const force = await putInForce(context, { snapshot, version, replaces: null, rewind, nowMs });
    const isActive = before.activeVersion === version.version;
    const { secrets: _of, ...rest } = before;
    const asks = secretsOf(version.manifest);
    const after: FunctionRecord = { ...rest, ...asks, activeVersion: version.version, updatedAtMs: nowMs };
    const changes = force.writes.length > 0 || !isActive;
    return {
      writes: changes ? [...force.writes, writeFunction(context.keys, after)] : [],
      result: (revision) => ({
        name,
        version: version.version,
        sha256: version.sha256,
        registrationIds: force.activation.inForce.map(({ spec }) => spec.id),
        revision,
      }),
    };
  });
}

function rewindTo(fromId: string): Rewind {
  return { id: previousEntryId(parseEntryId(fromId)) ?? ZERO_ENTRY_ID, token: randomUUID() };
}

/** "The one before" must not be taken from a version that somebody has activated meanwhile. */
function refuseMoved(before: FunctionRecord, activeAtFirst: number | null): void {
  if (before.activeVersion === activeAtFirst) return;
  throw new PlatformError(
    'REGISTRY_CONFLICT',
    `version ${before.activeVersion} of "${before.name}" was activated meanwhile; look again, then roll back`,
    { retryable: true, details: { name: before.name, activeVersion: before.activeVersion } },
  );
}

function targetOf(request: RollBackRequest, before: FunctionRecord, versions: readonly VersionRecord[]): VersionRecord {
  if (request.version !== undefined) {
    const named = versions.find(({ version }) => version === request.version);
    if (named === undefined) throw versionNotFound(request.name, request.version);
    return named;
  }
  const active = before.activeVersion;
  const previous = active === null ? undefined : versions.findLast(({ version }) => version < active);
  if (previous !== undefined) return previous;
  throw new PlatformError(
    'VERSION_NOT_FOUND',
    active === null
      ? `no version of "${request.name}" is active; name the version to activate`
      : `the function "${request.name}" has no version before ${active}`,
    { details: { name: request.name, activeVersion: active } },
  );
}
