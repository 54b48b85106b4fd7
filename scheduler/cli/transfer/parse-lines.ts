import type { TextLine } from './lines.ts';
import {
  type ExportedFunction,
  type ExportedRegistration,
  type ExportedVersion,
  FORMAT,
  FORMAT_VERSION,
  hasItsSum,
  type RegistryHead,
} from './registry-file.ts';

type Fields = Readonly<Record<string, unknown>>;

/** Errors: REGISTRY_FILE_INVALID. */
export function parseHead(line: TextLine): RegistryHead {
  const fields = line.object();
  if (fields.format !== FORMAT) throw line.refuse(`the first line says no "format": "${FORMAT}"`);
  const formatVersion = whole(line, fields, 'formatVersion');
  if (formatVersion > FORMAT_VERSION) {
    throw line.refuse(
      `the file has format version ${formatVersion}; this program reads up to ${FORMAT_VERSION}; take a newer one`,
    );
  }
  return {
    ...{ format: FORMAT, formatVersion },
    ...{ exportedAt: text(line, fields, 'exportedAt'), writtenBy: text(line, fields, 'writtenBy') },
    ...{ functions: whole(line, fields, 'functions'), versions: whole(line, fields, 'versions') },
  };
}

/** The line of a function, with the number of its versions. Errors: REGISTRY_FILE_INVALID. */
export function parseFunctionLine(line: TextLine): Omit<ExportedFunction, 'versions'> & { readonly count: number } {
  const fields = inside(line, 'function');
  const { registrations } = fields;
  if (!Array.isArray(registrations)) throw line.refuse('"registrations" is no list');
  return {
    name: text(line, fields, 'name'),
    description: textOrNull(line, fields, 'description'),
    activeVersion: fields.activeVersion === null ? null : whole(line, fields, 'activeVersion'),
    createdAtMs: whole(line, fields, 'createdAtMs'),
    registrations: (registrations as readonly unknown[]).map((each) => registrationOf(line, each)),
    count: whole(line, fields, 'versions'),
  };
}

/** Errors: REGISTRY_FILE_INVALID, also when the source is not what its sum says. */
export function parseVersionLine(line: TextLine, functionName: string): ExportedVersion {
  const fields = inside(line, 'version');
  const owner = text(line, fields, 'function');
  if (owner !== functionName)
    throw line.refuse(`a version of "${owner}" stands where one of "${functionName}" was announced`);
  const language = text(line, fields, 'language');
  if (language !== 'js' && language !== 'ts') throw line.refuse(`"language" is "${language}"; allowed are js and ts`);
  const version: ExportedVersion = {
    ...{ version: whole(line, fields, 'version'), language, sha256: text(line, fields, 'sha256') },
    ...{ description: textOrNull(line, fields, 'description'), createdAtMs: whole(line, fields, 'createdAtMs') },
    source: text(line, fields, 'source'),
  };
  if (!hasItsSum(version)) throw line.refuse('the source is not the one that its sha256 was made of');
  return version;
}

const STATES = ['running', 'paused', 'aborted', 'quarantined'];

function registrationOf(line: TextLine, value: unknown): ExportedRegistration {
  if (typeof value !== 'object' || value === null) throw line.refuse('a registration is no JSON object');
  const fields = value as Fields;
  const state = text(line, fields, 'state');
  if (!STATES.includes(state)) throw line.refuse(`"state" is "${state}"; allowed are ${STATES.join(', ')}`);
  return { id: text(line, fields, 'id'), state };
}

function inside(line: TextLine, name: string): Fields {
  const value = line.object()[name];
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Fields;
  throw line.refuse(`here a ${name} should stand`);
}

function text(line: TextLine, fields: Fields, name: string): string {
  const value = fields[name];
  if (typeof value === 'string') return value;
  throw line.refuse(`"${name}" is ${shown(value)}; it must be a text`);
}

function textOrNull(line: TextLine, fields: Fields, name: string): string | null {
  return fields[name] === null ? null : text(line, fields, name);
}

function whole(line: TextLine, fields: Fields, name: string): number {
  const value = fields[name];
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
  throw line.refuse(`"${name}" is ${shown(value)}; it must be a whole number`);
}

function shown(value: unknown): string {
  return value === undefined ? 'missing' : (JSON.stringify(value) ?? 'missing').slice(0, 80);
}
