import { dirname, join, relative } from 'node:path';
import { type BundledSource, originalFiles, type PlatformError, type SourceMistake } from '#functions';
import type { Output } from '../render.ts';

/** A place as a stack or a message names it: `lib/prices.ts:3:14`. */
const PLACE = /(?:^|[\s(@])([^\s()@:]+\.[cm]?[jt]sx?):(\d+)(?::(\d+))?/g;
/** Of a line that is no terminal's. */
const LONGEST_LINE = 160;
/** Columns before the line itself, for numbers up to 9999. */
const MARGIN = 9;
/** Of a line that does not fit, so much is shown behind the mark. */
const BEHIND_MARK = 30;

/** The source of one version, to show the lines that its errors name. */
export interface VersionSource {
  /** The file that was deployed. */
  readonly file: string;
  readonly bundled: BundledSource;
}

/** Where it went wrong: what the builder found, else the first place in the author's files that the error names. */
export function mistakesOf(error: PlatformError, source: VersionSource | null): readonly SourceMistake[] {
  const { mistakes } = error.details;
  if (Array.isArray(mistakes)) return mistakes as SourceMistake[];
  const place = source === null ? null : placeIn(error.message, source);
  return place === null ? [] : [place];
}

/** The first place of a text that lies in the author's files, with its line; null when there is none. */
export function placeIn(text: string, { file, bundled }: VersionSource): SourceMistake | null {
  const files = new Map(originalFiles(bundled, '').map(({ path, source }) => [path, source]));
  for (const [, path = '', line, column = '1'] of text.matchAll(PLACE)) {
    const lineText = files.get(path)?.split(/\r?\n/)[Number(line) - 1];
    if (lineText === undefined) continue;
    const shown = relative(process.cwd(), join(dirname(file), path));
    return { file: shown, line: Number(line), column: Number(column), length: 0, lineText };
  }
  return null;
}

/** The place, unless the text that was told before names it, its line, and a mark under the column. */
export function showPlace(output: Output, mistake: SourceMistake, told: string): void {
  const { file, line, column, length, lineText } = mistake;
  const number = String(line);
  const width = Math.max(2 * BEHIND_MARK, (process.stdout.columns ?? LONGEST_LINE) - MARGIN);
  const from = Math.max(0, Math.min(column + BEHIND_MARK, lineText.length) - width);
  const shown = lineText.slice(from, from + width);
  // A mark below a tab stands right only behind a tab.
  const before = shown.slice(0, column - 1 - from).replace(/[^\t]/g, ' ');
  const marks = '^'.repeat(Math.max(1, Math.min(length, shown.length - before.length)));
  const rule = output.style('faint', '|');
  const place = `${file}:${line}:${column}`;
  if (!told.includes(place)) output.line(`  ${output.style('name', place)}`);
  output.line(`  ${output.style('faint', number)} ${rule} ${printableLine(shown)}`);
  output.line(`  ${' '.repeat(number.length)} ${rule} ${before}${output.style('bad', marks)}`);
}

/** A source may hold anything; only tabs stay as they are. */
function printableLine(text: string): string {
  return text.replace(/[^\P{Cc}\t]/gu, '�');
}
