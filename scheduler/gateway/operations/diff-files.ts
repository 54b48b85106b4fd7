import { structuredPatch } from 'diff';
import type { OriginalFile } from '#functions';

export interface DiffLine {
  readonly kind: 'same' | 'added' | 'removed';
  readonly fromLine: number | null;
  readonly toLine: number | null;
  readonly text: string;
}

export interface DiffHunk {
  readonly fromLine: number;
  readonly fromCount: number;
  readonly toLine: number;
  readonly toCount: number;
  readonly lines: readonly DiffLine[];
}

export interface FileDiff {
  readonly path: string;
  readonly status: 'same' | 'changed' | 'added' | 'removed';
  readonly hunks: readonly DiffHunk[];
}

/** Sources that differ in nearly everything are not worth more than this, ms. */
const PATIENCE_MS = 1_000;

/** What changed from some files to others, by path. @param context lines shown around a change; Infinity = all. */
export async function diffFiles(
  from: readonly OriginalFile[],
  to: readonly OriginalFile[],
  context: number,
): Promise<readonly FileDiff[]> {
  const before = new Map(from.map(({ path, source }) => [path, source]));
  const after = new Map(to.map(({ path, source }) => [path, source]));
  const paths = [...new Set([...before.keys(), ...after.keys()])].sort();
  const diffs: FileDiff[] = [];
  for (const path of paths) diffs.push(await diffFile(path, [before.get(path), after.get(path)], context));
  return diffs;
}

async function diffFile(
  path: string,
  [from, to]: readonly [string | undefined, string | undefined],
  context: number,
): Promise<FileDiff> {
  const status = statusOf(from, to);
  const [old, now] = [from ?? '', to ?? ''];
  if (status === 'same') return { path, status, hunks: context === Number.POSITIVE_INFINITY ? [wholeFile(now)] : [] };
  const hunks = await findHunks(old, now, context);
  return { path, status, hunks: hunks === null ? [replaced(old, now)] : hunks.map(hunkOf) };
}

/** In turns with everything else this node does; null when the sources have too little in common to find it in time. */
function findHunks(old: string, now: string, context: number): Promise<readonly Hunk[] | null> {
  return new Promise((resolve) => {
    const callback = (patch: { readonly hunks: readonly Hunk[] } | undefined): void => resolve(patch?.hunks ?? null);
    structuredPatch('', '', old, now, '', '', { context, timeout: PATIENCE_MS, callback });
  });
}

function statusOf(from: string | undefined, to: string | undefined): FileDiff['status'] {
  if (from === undefined) return 'added';
  if (to === undefined) return 'removed';
  return from === to ? 'same' : 'changed';
}

interface Hunk {
  readonly oldStart: number;
  readonly oldLines: number;
  readonly newStart: number;
  readonly newLines: number;
  readonly lines: readonly string[];
}

function hunkOf({ oldStart, oldLines, newStart, newLines, lines }: Hunk): DiffHunk {
  let fromLine = oldStart;
  let toLine = newStart;
  const shown = lines
    .filter((line) => !line.startsWith('\\'))
    .map((line): DiffLine => {
      const text = line.slice(1);
      if (line.startsWith('+')) return { kind: 'added', fromLine: null, toLine: toLine++, text };
      if (line.startsWith('-')) return { kind: 'removed', fromLine: fromLine++, toLine: null, text };
      return { kind: 'same', fromLine: fromLine++, toLine: toLine++, text };
    });
  return { fromLine: oldStart, fromCount: oldLines, toLine: newStart, toCount: newLines, lines: shown };
}

function wholeFile(source: string): DiffHunk {
  const lines = linesOf(source).map((text, at): DiffLine => ({ kind: 'same', fromLine: at + 1, toLine: at + 1, text }));
  return { fromLine: 1, fromCount: lines.length, toLine: 1, toCount: lines.length, lines };
}

function replaced(old: string, now: string): DiffHunk {
  const removed = linesOf(old).map((text, at): DiffLine => ({ kind: 'removed', fromLine: at + 1, toLine: null, text }));
  const added = linesOf(now).map((text, at): DiffLine => ({ kind: 'added', fromLine: null, toLine: at + 1, text }));
  const counts = { fromCount: removed.length, toCount: added.length };
  return { fromLine: 1, toLine: 1, ...counts, lines: [...removed, ...added] };
}

function linesOf(source: string): readonly string[] {
  return source === '' ? [] : source.replace(/\n$/, '').split('\n');
}
