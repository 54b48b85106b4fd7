import { PlatformError } from '../errors.ts';

const COMMENT = /\n?\/\/[#@] sourceMappingURL=data:application\/json;(?:charset=utf-8;)?base64,([A-Za-z0-9+/=]+)\s*$/;

export interface SeparatedSource {
  /** The source without the comment; lines and columns are those of the source. */
  readonly code: string;
  /** Source map v3, JSON text; null when the source carries none. */
  readonly sourceMap: string | null;
}

/** Takes a trailing inline source map off a source. Errors: ARTIFACT_INVALID when the comment holds no source map. */
export function separateSourceMap(source: string): SeparatedSource {
  // Nothing before the last line break can be the comment: a regex over megabytes would only cost time.
  const lastLine = source.lastIndexOf('sourceMappingURL=data:');
  if (lastLine === -1) return { code: source, sourceMap: null };
  const begin = Math.max(0, lastLine - '\n//# '.length);
  const match = COMMENT.exec(source.slice(begin));
  if (match === null) return { code: source, sourceMap: null };
  const sourceMap = Buffer.from(match[1] as string, 'base64').toString('utf8');
  checkSourceMap(sourceMap);
  return { code: source.slice(0, begin + match.index), sourceMap };
}

/** The source with its map as trailing comment, as `separateSourceMap` takes it off again. */
export function attachSourceMap(code: string, sourceMap: string): string {
  const encoded = Buffer.from(sourceMap, 'utf8').toString('base64');
  const separator = code.endsWith('\n') ? '' : '\n';
  return `${code}${separator}//# sourceMappingURL=data:application/json;base64,${encoded}\n`;
}

/** Errors: ARTIFACT_INVALID. */
export function checkSourceMap(text: string): void {
  let map: unknown;
  try {
    map = JSON.parse(text);
  } catch (reason) {
    throw new PlatformError('ARTIFACT_INVALID', 'the source map is no JSON; leave it out or bundle again', {
      cause: reason,
    });
  }
  const { version, mappings } = (map ?? {}) as { readonly version?: unknown; readonly mappings?: unknown };
  if (version === 3 && typeof mappings === 'string') return;
  throw new PlatformError('ARTIFACT_INVALID', 'the source map is not of version 3; leave it out or bundle again');
}
