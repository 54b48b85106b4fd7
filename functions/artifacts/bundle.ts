import { extname, relative, resolve } from 'node:path';
import { type BuildFailure, build } from 'esbuild';
import { PlatformError } from '../errors.ts';
import type { SourceLanguage } from './artifact.ts';
import { describeMessages } from './compile.ts';
import { attachSourceMap } from './source-map-comment.ts';

export interface BundledSource {
  /** One classic script with everything it imports, ready to be uploaded; its source map stands in its last line. */
  readonly source: string;
  /** The same source map, JSON text. Its paths are relative to the working directory. */
  readonly sourceMap: string;
  /** Always `js`: types are gone. */
  readonly language: SourceLanguage;
}

/**
 * Bundles a function's file with its imports, as `regears deploy` does before it uploads. Same files, same working directory:
 * same text, so that deploying twice makes no second version.
 * Errors: ARTIFACT_INVALID with file:line:column; ARGUMENT_INVALID for a file that is no script.
 */
export async function bundleFile(path: string): Promise<BundledSource> {
  if (!/^\.[cm]?[jt]s$/.test(extname(path))) {
    throw new PlatformError(
      'ARGUMENT_INVALID',
      `"${path}" is no script; give a .js, .mjs, .cjs, .ts, .mts or .cts file`,
      {
        details: { value: path },
      },
    );
  }
  const entry = relative(process.cwd(), resolve(path));
  const result = await build({
    entryPoints: [`./${entry}`],
    // Sources in the map are relative to this file's folder; it is not written.
    outfile: 'function.js',
    bundle: true,
    write: false,
    format: 'iife',
    platform: 'neutral',
    mainFields: ['module', 'main'],
    conditions: ['module', 'import'],
    target: 'es2024',
    charset: 'utf8',
    keepNames: true,
    sourcemap: 'external',
    sourcesContent: true,
    logLevel: 'silent',
  }).catch((reason: BuildFailure) => {
    throw new PlatformError('ARTIFACT_INVALID', describeMessages(reason.errors ?? []) || reason.message, {
      cause: reason,
    });
  });
  const textOf = (extension: string): string =>
    result.outputFiles.find((file) => file.path.endsWith(`function${extension}`))?.text ?? '';
  const sourceMap = textOf('.js.map');
  return { source: attachSourceMap(textOf('.js'), sourceMap), sourceMap, language: 'js' };
}
