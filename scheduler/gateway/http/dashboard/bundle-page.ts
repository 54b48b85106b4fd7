import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const PAGE = fileURLToPath(new URL('./page/', import.meta.url));

/**
 * Bundles the dashboard from its sources: the names of its files and what is in them. For the published package's build,
 * and where the sources run directly. Takes some 100 ms.
 */
export async function bundlePage(): Promise<ReadonlyMap<string, Uint8Array>> {
  const { build } = await import('esbuild');
  const { outputFiles, metafile } = await build({
    absWorkingDir: PAGE,
    entryPoints: { page: 'main.tsx', 'page.css': 'styles/page.css' },
    entryNames: '[name]',
    outdir: '/',
    bundle: true,
    write: false,
    metafile: true,
    minify: true,
    format: 'esm',
    target: 'es2024',
    jsx: 'automatic',
    jsxImportSource: 'preact',
    legalComments: 'none',
    logLevel: 'silent',
  });
  const files = new Map(
    outputFiles.map(({ path, contents }) => [path.replace(/^.*[\\/]/, '').replace('.css.css', '.css'), contents]),
  );
  for (const name of ['index.html', 'icon.svg']) files.set(name, await readFile(join(PAGE, name)));
  files.set('licences.txt', Buffer.from(await licences(Object.keys(metafile.inputs))));
  return files;
}

/** The licences of the packages whose code is in the page go with it. */
async function licences(inputs: readonly string[]): Promise<string> {
  const folders = inputs.map((path) => /^.*node_modules[\\/](?:@[^\\/]+[\\/])?[^\\/]+/.exec(path)?.[0]);
  const texts = [...new Set(folders)].toSorted().flatMap((folder) => {
    if (folder === undefined) return [];
    return readFile(join(PAGE, folder, 'LICENSE'), 'utf8').then((text) => `${basename(folder)}\n\n${text.trim()}\n`);
  });
  return (await Promise.all(texts)).join('\n\n');
}
