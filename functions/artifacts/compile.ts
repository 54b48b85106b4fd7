import { createHash } from 'node:crypto';
import { type BuildOptions, type BuildResult, build, type Message, type Plugin } from 'esbuild';
import { PlatformError } from '../errors.ts';
import type { Artifact, SourceLanguage } from './artifact.ts';
import { checkSourceMap, separateSourceMap } from './source-map-comment.ts';

export interface CompileRequest {
  readonly source: string;
  readonly language: SourceLanguage;
  /** Source map v3 (JSON text) of a source that was bundled elsewhere; null = none, or as trailing inline comment. */
  readonly sourceMap: string | null;
  /** How the source is called in errors and stack traces, such as `clicks.ts`. */
  readonly fileName: string;
  /** Largest source, bytes of UTF-8. */
  readonly maxBytes: number;
}

/**
 * Makes the one classic script an isolate evaluates. A classic script stays as it is; ES module syntax is folded away and
 * types are stripped, with a source map to what was uploaded. Errors: ARTIFACT_TOO_LARGE; ARTIFACT_INVALID with
 * file:line:column for syntax errors, imports that were not bundled, and `await` outside of functions.
 */
export async function compileArtifact(request: CompileRequest): Promise<Artifact> {
  const { source, language } = request;
  checkSize(source, request.maxBytes);
  if (request.sourceMap !== null) checkSourceMap(request.sourceMap);
  const sha256 = hashSource(source, language);
  const result = await runBuild(request);
  const isClassic = language === 'js' && formatOf(result) === undefined;
  if (isClassic) {
    const separated = separateSourceMap(source);
    const sourceMap = request.sourceMap ?? separated.sourceMap;
    return { sha256, language, source, code: separated.code, sourceMap };
  }
  const code = outputOf(result, '.js');
  return { sha256, language, source, code, sourceMap: outputOf(result, '.js.map') };
}

/** The identity of an artifact: lower-case hex SHA-256. */
export function hashSource(source: string, language: SourceLanguage): string {
  return createHash('sha256').update(`${language}\n${source}`).digest('hex');
}

/** What esbuild found, in the words of this platform, first thing first. */
export function describeMessages(messages: readonly Message[]): string {
  return messages.slice(0, 5).map(describeMessage).join('\n');
}

function describeMessage({ text, location }: Message): string {
  const where = location === null ? '' : `${location.file}:${location.line}:${location.column + 1}: `;
  if (text.startsWith('Top-level await')) {
    return `${where}await outside of a function: a function's source is evaluated at once; await inside the callbacks`;
  }
  return `${where}${text}`;
}

function checkSize(source: string, maxBytes: number): void {
  const bytes = Buffer.byteLength(source);
  if (bytes <= maxBytes) return;
  throw new PlatformError(
    'ARTIFACT_TOO_LARGE',
    `the source has ${bytes} bytes; the limit is ${maxBytes} (setting cap-artifact)`,
    { details: { bytes, maxBytes } },
  );
}

async function runBuild(
  request: CompileRequest,
): Promise<BuildResult<BuildOptions & { metafile: true; write: false }>> {
  try {
    return await build({
      stdin: { contents: request.source, sourcefile: request.fileName, loader: request.language },
      outfile: 'function.js',
      bundle: true,
      write: false,
      metafile: true,
      format: 'iife',
      platform: 'neutral',
      target: 'es2024',
      charset: 'utf8',
      sourcemap: 'external',
      sourcesContent: false,
      treeShaking: false,
      legalComments: 'inline',
      tsconfigRaw: {},
      logLevel: 'silent',
      plugins: [REFUSE_IMPORTS],
    });
  } catch (reason) {
    const messages = (reason as { readonly errors?: readonly Message[] }).errors;
    if (messages === undefined) throw PlatformError.from(reason, 'ARTIFACT_INVALID');
    throw new PlatformError('ARTIFACT_INVALID', describeMessages(messages), { cause: reason });
  }
}

/** What is uploaded is one file: nothing of the node's disk may get into it. */
const REFUSE_IMPORTS: Plugin = {
  name: 'refuse-imports',
  setup(context) {
    context.onResolve({ filter: /.*/ }, ({ path, kind }) => {
      if (kind === 'entry-point') return undefined;
      const text = `"${path}" is imported but not part of the source; deploy with "regears deploy <file>", which bundles imports`;
      return { errors: [{ text }] };
    });
  },
};

function formatOf(result: BuildResult<{ metafile: true }>): 'cjs' | 'esm' | undefined {
  return Object.values(result.metafile.inputs)[0]?.format;
}

function outputOf(result: BuildResult<{ write: false }>, extension: string): string {
  const file = result.outputFiles.find(({ path }) => path.endsWith(`function${extension}`));
  if (file === undefined) throw new PlatformError('ARTIFACT_INVALID', `the compiler made no ${extension} file`);
  return file.text;
}
