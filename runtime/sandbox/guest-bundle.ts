import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

/**
 * Bundles the guest runtime from its sources into one script: a function body that declares `regears.start`. For the
 * published package's build, and at start where the sources run directly.
 */
export async function buildGuestBundle(): Promise<string> {
  const { build } = await import('esbuild');
  const result = await build({
    entryPoints: [fileURLToPath(new URL('../guest/main.ts', import.meta.url))],
    bundle: true,
    write: false,
    format: 'iife',
    globalName: 'regears',
    target: 'es2024',
    platform: 'neutral',
    legalComments: 'none',
    // Every isolate keeps its own copy of the text.
    minifyWhitespace: true,
    banner: { js: '"use strict";' },
  });
  const [file] = result.outputFiles;
  return file === undefined ? '' : file.text;
}

/** The guest runtime for `encodeBoot`: `guest.js` beside this file where it was built, else bundled now (some 50 ms). */
export async function guestBundle(): Promise<string> {
  try {
    return await readFile(new URL('./guest.js', import.meta.url), 'utf8');
  } catch {
    return buildGuestBundle();
  }
}
