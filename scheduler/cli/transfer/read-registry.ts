import { isDeepStrictEqual } from 'node:util';
import { PlatformError, type SourceLanguage } from '#functions';
import { type DoorClient, fieldsOf, type Reply, recordsOf } from '../client.ts';
import type { ExportedFunction, ExportedRegistration, ExportedVersion } from './registry-file.ts';

/** A function as the door lists it, with what is in force of it. */
export type FunctionFacts = Omit<ExportedFunction, 'versions'>;

/** A version without its source. */
export type VersionFacts = Omit<ExportedVersion, 'source'>;

const ATTEMPTS = 5;

/** Functions in the order in which they were made. Errors: those of the door. */
export async function readFunctions(door: DoorClient): Promise<readonly FunctionFacts[]> {
  const [functions, registrations] = await door.pipeline([['RG.FUNCTION', 'LIST'], ['RG.DUMPREGISTRATIONS']]);
  const inForce = Map.groupBy(recordsOf(registrations ?? null), (each) => String(each.function));
  const facts = recordsOf(functions ?? null).map((each) => ({
    name: String(each.name),
    description: textOrNull(each.description),
    activeVersion: typeof each.activeVersion === 'number' ? each.activeVersion : null,
    createdAtMs: Number(each.createdAtMs),
    registrations: (inForce.get(String(each.name)) ?? []).map(registrationOf),
  }));
  return facts.sort((a, b) => a.createdAtMs - b.createdAtMs || (a.name < b.name ? -1 : 1));
}

/** Oldest first. Errors: FUNCTION_NOT_FOUND, those of the door. */
export async function readVersions(door: DoorClient, name: string): Promise<readonly VersionFacts[]> {
  return recordsOf(await door.call('RG.FUNCTION', 'VERSIONS', name)).map(versionOf);
}

export interface ReadWish {
  /** None: all. */
  readonly names: readonly string[];
  /** Called for every version that has come. */
  onVersion(done: number, name: string): void;
}

/**
 * The registry as it is at one moment: read again when it has changed meanwhile. Errors: FUNCTION_NOT_FOUND for a name that is
 * not there, REGISTRY_CONFLICT when it never stands still, those of the door.
 */
export async function readRegistry(door: DoorClient, wish: ReadWish): Promise<readonly ExportedFunction[]> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const facts = wanted(await readFunctions(door), wish.names);
    const read = await readAll(door, facts, wish).catch((error: unknown) => {
      // It may have gone between the list and the question.
      if (error instanceof PlatformError && /^(FUNCTION|VERSION)_NOT_FOUND$/.test(error.code)) return null;
      throw error;
    });
    if (read !== null && isDeepStrictEqual(wanted(await readFunctions(door), wish.names), facts)) return read;
  }
  throw new PlatformError('REGISTRY_CONFLICT', 'the registry is being changed all the time; try again', {
    retryable: true,
  });
}

function wanted(all: readonly FunctionFacts[], names: readonly string[]): readonly FunctionFacts[] {
  if (names.length === 0) return all;
  const missing = names.find((name) => !all.some((each) => each.name === name));
  if (missing === undefined) return all.filter(({ name }) => names.includes(name));
  throw new PlatformError('FUNCTION_NOT_FOUND', `there is no function "${missing}"; see: regears list`);
}

async function readAll(
  door: DoorClient,
  facts: readonly FunctionFacts[],
  { onVersion }: ReadWish,
): Promise<readonly ExportedFunction[]> {
  const functions: ExportedFunction[] = [];
  let done = 0;
  for (const each of facts) {
    const versions: ExportedVersion[] = [];
    for (const version of await readVersions(door, each.name)) {
      versions.push(await withSource(door, each.name, version));
      done += 1;
      onVersion(done, each.name);
    }
    functions.push({ ...each, versions });
  }
  return functions;
}

async function withSource(door: DoorClient, name: string, version: VersionFacts): Promise<ExportedVersion> {
  const found = fieldsOf(await door.call('RG.FUNCTION', 'GET', name, 'VERSION', version.version));
  return { ...version, source: String(found.source) };
}

/** Only what is named here leaves the platform. */
function versionOf(fields: Record<string, Reply>): VersionFacts {
  return {
    version: Number(fields.version),
    language: String(fields.language) as SourceLanguage,
    sha256: String(fields.sha256),
    description: textOrNull(fields.description),
    createdAtMs: Number(fields.createdAtMs),
  };
}

function registrationOf(fields: Record<string, Reply>): ExportedRegistration {
  return { id: String(fields.id), state: String(fields.state) };
}

function textOrNull(reply: Reply | undefined): string | null {
  return typeof reply === 'string' ? reply : null;
}
