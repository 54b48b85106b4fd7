import { PlatformError } from '../errors.ts';
import { idsOf } from './activation.ts';
import type { RegistrationState, RegistrySnapshot, VersionRecord } from './registry.ts';
import { type RegistryContext, requireFunction } from './registry-context.ts';
import { eraseRegistration, type Write, writeFunction, writeRegistration } from './registry-storage.ts';
import { changeRegistry } from './transaction.ts';

interface Revision {
  readonly revision: number;
}

/** @see Registry.remove */
export function removeFunction(context: RegistryContext, name: string): Promise<Revision> {
  return changeRegistry(context.storage, async (snapshot) => ({
    writes: await removeWrites(context, snapshot, name),
    result: (revision) => ({ revision }),
  }));
}

/** Writes that remove a function with its versions and registrations. Errors: FUNCTION_NOT_FOUND. */
export async function removeWrites(
  context: RegistryContext,
  snapshot: RegistrySnapshot,
  name: string,
): Promise<readonly Write[]> {
  const { keys, storage } = context;
  const record = requireFunction(snapshot, name);
  return [
    ...idsOf(snapshot, name).flatMap((id) => eraseRegistration(keys, id)),
    ...(await dropVersions(context, snapshot, await storage.versions(name))),
    ['DEL', keys.versions(name)],
    ['DEL', keys.variables(name)],
    ['HDEL', keys.functions, name],
    ['HSET', keys.numbers, name, String(record.latestVersion)],
  ];
}

/** Writes that drop versions, and artifacts that no other version has. */
export async function dropVersions(
  { keys, storage }: RegistryContext,
  snapshot: RegistrySnapshot,
  dropped: readonly VersionRecord[],
): Promise<readonly Write[]> {
  if (dropped.length === 0) return [];
  const gone = new Set(dropped.map(({ functionName, version }) => `${functionName}\n${version}`));
  const kept = await Promise.all([...snapshot.functions.keys()].map((name) => storage.versions(name)));
  const needed = new Set(
    kept.flat().flatMap((record) => (gone.has(`${record.functionName}\n${record.version}`) ? [] : [record.sha256])),
  );
  const artifacts = new Set(dropped.map(({ sha256 }) => sha256).filter((sha256) => !needed.has(sha256)));
  return [
    ...dropped.map(({ functionName, version }): Write => ['HDEL', keys.versions(functionName), String(version)]),
    ...[...artifacts].map((sha256): Write => ['HDEL', keys.artifacts, sha256]),
  ];
}

/** @see Registry.unregister */
export function unregister(context: RegistryContext, registrationId: string): Promise<Revision> {
  const nowMs = context.nowMs();
  return changeRegistry(context.storage, async (snapshot) => {
    refuseUnknown(snapshot, [registrationId]);
    const name = snapshot.registrations.get(registrationId)?.functionName ?? '';
    const isLast = idsOf(snapshot, name).length === 1;
    const record = snapshot.functions.get(name);
    const writes = eraseRegistration(context.keys, registrationId);
    if (record !== undefined) {
      const activeVersion = isLast ? null : record.activeVersion;
      writes.push(writeFunction(context.keys, { ...record, activeVersion, updatedAtMs: nowMs }));
    }
    return { writes, result: (revision) => ({ revision }) };
  });
}

export interface StateChange {
  readonly ids: readonly string[];
  readonly state: RegistrationState;
  readonly reason: string | null;
  /** True: what is in work is given up. Default false. */
  readonly abortsWork?: boolean;
}

/** @see Registry.setState, Registry.abort */
export function setStates(context: RegistryContext, change: StateChange): Promise<Revision> {
  const { ids, state, reason, abortsWork = false } = change;
  return changeRegistry(context.storage, async (snapshot) => {
    refuseUnknown(snapshot, ids);
    const writes = [...new Set(ids)].flatMap((id) => {
      const registration = snapshot.registrations.get(id);
      if (registration === undefined) return [];
      const { abortsWork: aborted = false, ...rest } = registration;
      if (rest.state === state && rest.stateReason === reason && aborted === abortsWork) return [];
      const changed = { ...rest, state, stateReason: reason };
      return writeRegistration(context.keys, abortsWork ? { ...changed, abortsWork } : changed);
    });
    return { writes, result: (revision) => ({ revision }) };
  });
}

function refuseUnknown(snapshot: RegistrySnapshot, ids: readonly string[]): void {
  const missing = ids.filter((id) => !snapshot.registrations.has(id));
  if (missing.length === 0) return;
  throw new PlatformError('REGISTRATION_NOT_FOUND', `there is no registration ${missing.join(', ')}`, {
    details: { missing },
  });
}
