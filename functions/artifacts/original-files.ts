import type { Artifact } from './artifact.ts';
import { separateSourceMap } from './source-map-comment.ts';

/** A file as its author wrote it. */
export interface OriginalFile {
  readonly path: string;
  readonly source: string;
}

interface SourceMap {
  readonly sources?: readonly (string | null)[];
  readonly sourcesContent?: readonly (string | null)[];
}

/**
 * The author's own files of an artifact, with their lines: out of the source map where the upload was a bundle that carries
 * them (packages are left out), else the one file that was uploaded.
 */
export function originalFiles(
  { source, language, sourceMap }: Pick<Artifact, 'source' | 'language' | 'sourceMap'>,
  functionName: string,
): readonly OriginalFile[] {
  const inline = separateSourceMap(source).sourceMap;
  const files = filesIn(inline ?? sourceMap);
  return files.length > 0 ? files : [{ path: `${functionName}.${language}`, source }];
}

function filesIn(text: string | null): readonly OriginalFile[] {
  if (text === null) return [];
  const { sources = [], sourcesContent = [] } = JSON.parse(text) as SourceMap;
  const files = sources.map((path, at) => ({ path: path ?? '', source: sourcesContent[at] ?? null }));
  return files.filter((file): file is OriginalFile => {
    return typeof file.source === 'string' && file.path !== '' && !file.path.includes('node_modules/');
  });
}
