import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

interface Package {
  readonly name?: string;
  readonly version?: string;
}

/** Levels above this file in the checkout and, one deeper, in the compiled tree, whose own package.json has no name. */
const LEVELS = ['../', '../../'];

/** Directory of the installed package (or of the checkout), with a slash at the end. */
export function packageRoot(): string {
  const level = LEVELS.find((each) => packageAt(each)?.name === 'regears') ?? '../';
  return fileURLToPath(new URL(level, import.meta.url));
}

/** Version of this package. */
export function packageVersion(): string {
  return LEVELS.map(packageAt).find((each) => each?.name === 'regears')?.version ?? 'unknown';
}

function packageAt(level: string): Package | undefined {
  try {
    return JSON.parse(readFileSync(new URL(`${level}package.json`, import.meta.url), 'utf8')) as Package;
  } catch {
    return undefined; // no such file at this level: the other one has it
  }
}
