import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { PlatformError } from '#functions';
import { createPathWatch } from '../watch/path-watch.ts';
import { parseSamples, type Sample } from './sample.ts';

/** One file of samples. */
export interface SampleFile {
  /** As it leads there from the working directory. */
  readonly file: string;
  readonly samples: readonly Sample[];
  /** Why it holds none; null = it is right. */
  readonly error: PlatformError | null;
}

/** The files `*.json` of a folder, in the order of their names; a folder that is not there holds none, and may come. */
export interface SampleFolder extends Disposable {
  files(): readonly SampleFile[];
}

/** @param onSaved hears of files that are new or have other content than before. */
export function openSampleFolder(folder: string, onSaved: (files: readonly SampleFile[]) => void): SampleFolder {
  const path = resolve(folder);
  let texts = readTexts(path);
  const watch = createPathWatch({
    onChange: () => {
      const sinceMs = Date.now();
      const before = texts;
      texts = readTexts(path);
      watch.follow([path, ...texts.keys()], sinceMs);
      const saved = [...texts].filter(([file, text]) => before.get(file) !== text);
      if (saved.length > 0) onSaved(saved.map(fileOf));
    },
  });
  watch.follow([path, ...texts.keys()], Date.now());
  return {
    files: () => [...texts].map(fileOf),
    [Symbol.dispose]: () => watch[Symbol.dispose](),
  };
}

function readTexts(folder: string): ReadonlyMap<string, string> {
  const names = namesIn(folder).filter((name) => name.endsWith('.json') && !name.startsWith('.'));
  const texts = names.toSorted().flatMap((name) => {
    const path = join(folder, name);
    const text = textOf(path);
    return text === null ? [] : [[path, text] as const];
  });
  return new Map(texts);
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return []; // it is not there (yet), or is no folder
  }
}

function textOf(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null; // gone in between, or a folder
  }
}

function fileOf([path, text]: readonly [string, string]): SampleFile {
  const file = relative(process.cwd(), path);
  try {
    return { file, samples: parseSamples(text, file), error: null };
  } catch (reason) {
    return { file, samples: [], error: PlatformError.from(reason, 'ARGUMENT_INVALID') };
  }
}
