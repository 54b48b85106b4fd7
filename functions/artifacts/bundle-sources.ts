import { posix } from 'node:path';
import { type BuildFailure, build, type Loader, type Plugin } from 'esbuild';
import { PlatformError } from '../errors.ts';
import { BUNDLE_DEFINES } from './bundle-defines.ts';
import type { BundledSource } from './bundle.ts';
import { describeMessages } from './compile.ts';
import { attachSourceMap } from './source-map-comment.ts';

/** Files of an upload by their paths, such as `orders.ts` and `lib/prices.ts`. */
export type SourceFiles = Readonly<Record<string, string>>;

const LOADERS: Readonly<Record<string, Loader>> = {
  '.js': 'js',
  '.mjs': 'js',
  '.cjs': 'js',
  '.ts': 'ts',
  '.mts': 'ts',
  '.cts': 'ts',
  '.json': 'json',
};
const TRIED = ['', '.ts', '.js', '.mts', '.mjs', '.json', '/index.ts', '/index.js'];
const PATH = /^(?!\/)(?!.*(?:^|\/)\.\.?(?:\/|$))[^\\\p{Cc}]{1,255}$/u;

/**
 * Bundles files that came by themselves, without a disk: they may import one another by relative paths, and nothing else. Errors:
 * ARTIFACT_INVALID with file:line:column; ARGUMENT_INVALID for a wrong path or an entry that is not among them.
 */
export async function bundleSources(files: SourceFiles, entry: string): Promise<BundledSource> {
  for (const path of Object.keys(files)) checkPath(path);
  if (!Object.hasOwn(files, entry)) {
    const known = Object.keys(files).slice(0, 20).join(', ');
    throw new PlatformError('ARGUMENT_INVALID', `entry "${entry.slice(0, 255)}" is none of the files (${known})`);
  }
  const result = await build({
    entryPoints: [entry],
    outfile: 'function.js',
    bundle: true,
    write: false,
    format: 'iife',
    platform: 'neutral',
    target: 'es2024',
    define: BUNDLE_DEFINES,
    charset: 'utf8',
    keepNames: true,
    sourcemap: 'external',
    sourcesContent: true,
    tsconfigRaw: {},
    logLevel: 'silent',
    plugins: [inMemory(files)],
  }).catch((reason: BuildFailure) => {
    const text = describeMessages(reason.errors ?? []).replaceAll(`${NAMESPACE}:`, '') || reason.message;
    throw new PlatformError('ARTIFACT_INVALID', text, { cause: reason });
  });
  const textOf = (extension: string): string =>
    result.outputFiles.find(({ path }) => path.endsWith(`function${extension}`))?.text ?? '';
  const sourceMap = textOf('.js.map').replaceAll(`"${NAMESPACE}:`, '"');
  return { source: attachSourceMap(textOf('.js'), sourceMap), sourceMap, language: 'js' };
}

const NAMESPACE = 'upload';

/** Nothing of the node's disk can be asked for. */
function inMemory(files: SourceFiles): Plugin {
  return {
    name: NAMESPACE,
    setup(context) {
      context.onResolve({ filter: /.*/ }, ({ path, importer, kind }) => {
        if (kind === 'entry-point') return { path, namespace: NAMESPACE };
        const found = isRelative(path) ? resolveIn(files, posix.join(posix.dirname(importer), path)) : undefined;
        if (found !== undefined) return { path: found, namespace: NAMESPACE };
        const text = `"${path}" is none of the uploaded files; bundle packages before, or deploy with "regears deploy <file>"`;
        return { errors: [{ text }] };
      });
      context.onLoad({ filter: /.*/, namespace: NAMESPACE }, ({ path }) => {
        return { contents: files[path] ?? '', loader: LOADERS[posix.extname(path)] ?? 'js' };
      });
    },
  };
}

function resolveIn(files: SourceFiles, wanted: string): string | undefined {
  const plain = wanted.replace(/\.(c|m)?js$/, '.$1ts');
  const names = [...TRIED.map((ending) => wanted + ending), plain];
  return names.find((name) => Object.hasOwn(files, name));
}

function isRelative(path: string): boolean {
  return path.startsWith('./') || path.startsWith('../');
}

function checkPath(path: string): void {
  if (PATH.test(path) && Object.hasOwn(LOADERS, posix.extname(path))) return;
  throw new PlatformError(
    'ARGUMENT_INVALID',
    `"${path.slice(0, 255)}" is no path of a script; allowed are relative ones such as lib/prices.ts, with ${Object.keys(LOADERS).join(', ')}`,
    { details: { value: path.slice(0, 255) } },
  );
}
