import { PlatformError } from '../errors.ts';
import type { RegistryKeys } from '../keys.ts';
import type { Limits } from '../model/limits.ts';
import type { Manifest } from '../model/manifest.ts';
import type { FunctionRecord, Inspect, RegistrySnapshot, StreamHeads } from './registry.ts';
import type { RegistryStorage } from './registry-storage.ts';

/** What every change of the registry works with. */
export interface RegistryContext {
  readonly storage: RegistryStorage;
  readonly keys: RegistryKeys;
  readonly inspect: Inspect;
  readonly streamHeads: StreamHeads;
  readonly limits: Limits;
  /** What `configGet` answers in functions. */
  readonly settings: Readonly<Record<string, string>>;
  readonly caps: RegistryCaps;
  readonly nowMs: () => number;
}

export interface RegistryCaps {
  /** Versions kept per function; those in use are kept in any case. */
  readonly versions: number;
  /** Largest source, bytes. */
  readonly artifactBytes: number;
}

/** The field of a function's record that says what a version asks for. */
export function secretsOf(from: Manifest | FunctionRecord | undefined): Pick<FunctionRecord, 'secrets'> {
  const secrets = (from !== undefined && 'registrations' in from ? from.configuration : from)?.secrets ?? [];
  return secrets.length === 0 ? {} : { secrets };
}

/** Errors: FUNCTION_NOT_FOUND. */
export function requireFunction(snapshot: RegistrySnapshot, name: string): FunctionRecord {
  const record = snapshot.functions.get(name);
  if (record !== undefined) return record;
  throw new PlatformError('FUNCTION_NOT_FOUND', `there is no function "${name}"`, { details: { name } });
}

export function versionNotFound(name: string, version: number): PlatformError {
  return new PlatformError('VERSION_NOT_FOUND', `the function "${name}" has no version ${version}`, {
    details: { name, version },
  });
}
