import { access, constants } from 'node:fs/promises';
import { basename, dirname, extname, relative, resolve } from 'node:path';
import { type BuildFailure, build, type Message } from 'esbuild';
import { PlatformError } from '../errors.ts';
import { BUNDLE_DEFINES } from './bundle-defines.ts';
import type { SourceLanguage } from './artifact.ts';
import { describeMessages } from './compile.ts';
import { attachSourceMap } from './source-map-comment.ts';

export interface BundledSource {
  /** One classic script with everything it imports, ready to be uploaded; its source map stands in its last line. */
  readonly source: string;
  /** The same source map, JSON text. Its paths are relative to the folder of the file. */
  readonly sourceMap: string;
  /** Always `js`: types are gone. */
  readonly language: SourceLanguage;
}

/** A mistake in a source, for people: `details.mistakes` of ARTIFACT_INVALID is a list of them. */
export interface SourceMistake {
  /** As it leads there from the working directory. */
  readonly file: string;
  /** From 1. */
  readonly line: number;
  /** From 1, in characters. */
  readonly column: number;
  /** Characters that are wrong; 0 = unknown. */
  readonly length: number;
  /** The line itself. */
  readonly lineText: string;
}

/**
 * Bundles a function's file with its imports, as `regears deploy` does before it uploads. Same files: same text,
 * whatever the working directory, so that deploying twice makes no second version.
 * Errors: ARTIFACT_INVALID with file:line:column; ARGUMENT_INVALID for a file that is no script or cannot be read.
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
  const file = resolve(path);
  await access(file, constants.R_OK).catch((cause: NodeJS.ErrnoException) => {
    const why = cause.code === 'ENOENT' ? 'there is no such file' : cause.message;
    throw new PlatformError('ARGUMENT_INVALID', `"${path}" cannot be read: ${why}`, {
      cause,
      details: { value: path },
    });
  });
  const folder = dirname(file);
  const result = await build({
    entryPoints: [`./${basename(file)}`],
    absWorkingDir: folder,
    // Sources in the map are relative to this file's folder; it is not written.
    outfile: 'function.js',
    bundle: true,
    write: false,
    format: 'iife',
    platform: 'neutral',
    mainFields: ['module', 'main'],
    conditions: ['module', 'import'],
    target: 'es2024',
    define: BUNDLE_DEFINES,
    charset: 'utf8',
    keepNames: true,
    sourcemap: 'external',
    sourcesContent: true,
    logLevel: 'silent',
  }).catch((reason: BuildFailure) => {
    const messages = (reason.errors ?? []).map((message) => seenFromHere(message, folder));
    const details = { mistakes: messages.flatMap(mistakeOf) };
    throw new PlatformError('ARTIFACT_INVALID', describeMessages(messages) || reason.message, {
      cause: reason,
      details,
    });
  });
  const textOf = (extension: string): string =>
    result.outputFiles.find((file) => file.path.endsWith(`function${extension}`))?.text ?? '';
  const sourceMap = textOf('.js.map');
  return { source: attachSourceMap(textOf('.js'), sourceMap), sourceMap, language: 'js' };
}

/** esbuild counts columns in bytes. */
function mistakeOf({ location }: Message): readonly SourceMistake[] {
  if (location === null) return [];
  const { file, line, lineText } = location;
  const bytes = Buffer.from(lineText);
  const before = bytes.subarray(0, location.column).toString().length;
  const length = bytes.subarray(location.column, location.column + location.length).toString().length;
  return [{ file, line, column: before + 1, length, lineText }];
}

/** A mistake is shown with the path that leads to the file from the working directory. */
function seenFromHere(message: Message, folder: string): Message {
  const { location } = message;
  if (location === null) return message;
  return { ...message, location: { ...location, file: relative(process.cwd(), resolve(folder, location.file)) } };
}
