import { isUtf8 } from 'node:buffer';
import { bundleSources, PlatformError, type SourceFiles, type SourceLanguage } from '#functions';
import type { Payload } from './route.ts';

/** An upload in whatever form, made one. */
export interface Upload {
  readonly source: string;
  readonly language: SourceLanguage;
  readonly sourceMap: string | null;
  /** What was said beside the source, as text. */
  readonly options: UploadOptions;
}

export interface UploadOptions {
  readonly description?: string;
  readonly activate?: boolean;
  readonly mustBeNew?: boolean;
  readonly name?: string;
}

interface JsonUpload extends UploadOptions {
  readonly source?: string;
  readonly sourceMap?: string;
  readonly files?: SourceFiles;
  readonly entry?: string;
  readonly language?: SourceLanguage;
}

/** Content types of a source as it is; '' = none was named. */
export const SOURCE_TYPES: readonly string[] = [
  'text/javascript',
  'application/javascript',
  'text/typescript',
  'application/typescript',
  'text/plain',
  'application/octet-stream',
  '',
];

/** Several files become one here. ARGUMENT_INVALID, ARTIFACT_INVALID. */
export async function readUpload(payload: Payload | null, language: SourceLanguage | undefined): Promise<Upload> {
  if (payload === null) throw wrong('the body is empty: send the source');
  if (payload.kind === 'json') return readJson(payload.value as JsonUpload);
  if (payload.kind === 'form') return readForm(payload);
  const source = textOf(payload.bytes, 'the body');
  return { source, language: language ?? languageOfType(payload.type), sourceMap: null, options: {} };
}

async function readJson({ source, sourceMap, files, entry, language, ...options }: JsonUpload): Promise<Upload> {
  if ((source === undefined) === (files === undefined)) throw wrong('give either source, or files with entry');
  if (files !== undefined) return { ...(await bundled(files, entry)), options };
  if (entry !== undefined) throw wrong('entry names one of several files; a single source has none');
  return { source: source ?? '', language: language ?? 'js', sourceMap: sourceMap ?? null, options };
}

async function readForm({ fields, files }: Extract<Payload, { kind: 'form' }>): Promise<Upload> {
  const { language, entry, ...rest } = fields;
  const options = { ...textOptions(rest) };
  const named = Object.fromEntries(files.map(({ name, bytes }) => [name, textOf(bytes, `file "${name}"`)]));
  const [first] = files;
  if (first === undefined) throw wrong('the form has no file');
  if (Object.keys(named).length < files.length) throw wrong('two files of the form have the same name');
  if (files.length > 1) return { ...(await bundled(named, entry)), options };
  const given = language === undefined ? languageOfName(first.name) : languageOf(language);
  return { source: named[first.name] ?? '', language: given, sourceMap: null, options };
}

async function bundled(files: SourceFiles, entry: string | undefined): Promise<Omit<Upload, 'options'>> {
  const names = Object.keys(files);
  const only = names.length === 1 ? names[0] : undefined;
  const chosen = entry ?? only;
  if (chosen === undefined)
    throw wrong(`entry is missing: name the file that is the function (${names.slice(0, 20).join(', ')})`);
  return bundleSources(files, chosen);
}

function textOptions(fields: Readonly<Record<string, string>>): UploadOptions {
  const { description, activate, mustBeNew, name, ...unknown } = fields;
  const [stranger] = Object.keys(unknown);
  if (stranger !== undefined) throw wrong(`the form has a field "${stranger.slice(0, 100)}", which is unknown`);
  return {
    ...(description === undefined ? {} : { description }),
    ...(activate === undefined ? {} : { activate: truth('activate', activate) }),
    ...(mustBeNew === undefined ? {} : { mustBeNew: truth('mustBeNew', mustBeNew) }),
    ...(name === undefined ? {} : { name }),
  };
}

function truth(name: string, text: string): boolean {
  if (text === 'true' || text === 'false') return text === 'true';
  throw wrong(`${name} is "${text.slice(0, 100)}"; allowed are true and false`);
}

function languageOf(text: string): SourceLanguage {
  if (text === 'js' || text === 'ts') return text;
  throw wrong(`language is "${text.slice(0, 100)}"; allowed are js and ts`);
}

function languageOfName(name: string): SourceLanguage {
  return /\.[cm]?ts$/.test(name) ? 'ts' : 'js';
}

function languageOfType(type: string): SourceLanguage {
  return type.endsWith('/typescript') ? 'ts' : 'js';
}

function textOf(bytes: Buffer, what: string): string {
  if (isUtf8(bytes)) return bytes.toString('utf8');
  throw wrong(`${what} is no UTF-8 text`);
}

function wrong(message: string): PlatformError {
  return new PlatformError('ARGUMENT_INVALID', message, { details: { at: 'body', path: '' } });
}
