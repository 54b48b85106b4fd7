import { PlatformError } from '#functions';
import type { CommandArgument } from '../client.ts';

/** How a line becomes the fields of an entry: flat names and values, or null when the line makes no entry. */
export type LineFormat = (line: Buffer, lineNumber: number) => readonly CommandArgument[] | null;

/** `text`: the whole line is the field `line`. `ndjson`: each field of the line's JSON object is a field of the entry. */
export const FORMATS: Readonly<Record<'text' | 'ndjson', LineFormat>> = {
  text: (line) => ['line', line],
  ndjson: (line, lineNumber) => {
    const text = line.toString('utf8').trim();
    return text === '' ? null : fieldsOfObject(parseObject(text, lineNumber), lineNumber);
  },
};

export type FormatName = keyof typeof FORMATS;

/** Integers of this many digits may not survive as JavaScript numbers. */
const LONG_NUMBER = /\d{16}/;

function parseObject(text: string, lineNumber: number): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = LONG_NUMBER.test(text) ? JSON.parse(text, keepNumberText) : JSON.parse(text);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new PlatformError('ARGUMENT_INVALID', `line ${lineNumber} is not JSON: ${why}`, { cause });
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw new PlatformError('ARGUMENT_INVALID', `line ${lineNumber} is not a JSON object but ${text.slice(0, 60)}`);
}

/** What the language has and the compiler's library does not declare yet. */
interface SourceTextJson {
  rawJSON(text: string): unknown;
  isRawJSON(value: unknown): value is { readonly rawJSON: string };
}
const sourceTextJson = JSON as unknown as SourceTextJson;

function keepNumberText(_key: string, value: unknown, context?: { readonly source?: string }): unknown {
  return typeof value === 'number' && context?.source !== undefined ? sourceTextJson.rawJSON(context.source) : value;
}

function fieldsOfObject(object: Readonly<Record<string, unknown>>, lineNumber: number): readonly string[] {
  const fields = Object.entries(object).flatMap(([name, value]) => [
    name,
    typeof value === 'string' ? value : JSON.stringify(value),
  ]);
  if (fields.length > 0) return fields;
  throw new PlatformError(
    'ARGUMENT_INVALID',
    `line ${lineNumber} is an object without fields, which no entry can hold`,
  );
}
