import { LIMIT_NAMES, type VersionRecord } from '#functions';

/** A version as people look at it; what it does not narrow for itself is null. */
export interface VersionReport {
  readonly functionName: string;
  readonly version: number;
  readonly active: boolean;
  readonly sha256: string;
  readonly language: string;
  readonly description: string | null;
  readonly createdAtMs: number;
  readonly registrations: readonly { readonly id: string; readonly reader: string; readonly mode: string }[];
  /** As they are written in `configure`. */
  readonly limits: Readonly<Record<string, string>> | null;
  /** Upper case. */
  readonly commands: readonly string[] | null;
  readonly keys: readonly string[] | null;
  readonly settings: Readonly<Record<string, string>> | null;
  /** Names of the secrets that it asks for. */
  readonly secrets: readonly string[] | null;
}

export function versionReport(record: VersionRecord, activeVersion: number | null): VersionReport {
  const { manifest } = record;
  const { limits = {}, commands = null, keys = null, settings = {}, secrets = null } = manifest.configuration ?? {};
  const lowered = LIMIT_NAMES.flatMap(({ field, name, show }) => {
    const value = limits[field];
    return value === undefined ? [] : [[name, show(value)] as const];
  });
  return {
    functionName: record.functionName,
    version: record.version,
    active: record.version === activeVersion,
    sha256: record.sha256,
    language: record.language,
    description: record.description,
    createdAtMs: record.createdAtMs,
    registrations: manifest.registrations.map(({ id, reader, mode }) => ({ id, reader, mode })),
    limits: lowered.length === 0 ? null : Object.fromEntries(lowered),
    commands: commands?.map((command) => command.toUpperCase()) ?? null,
    keys,
    settings: Object.keys(settings).length === 0 ? null : { ...settings },
    secrets,
  };
}
