import type { DiffHunk, DiffLine } from '../api/types.ts';

/** One line of a comparison side by side; null where a side has none. */
export interface DiffRow {
  readonly from: DiffLine | null;
  readonly to: DiffLine | null;
}

/** Puts removed lines beside the added ones that took their place. */
export function diffRows({ lines }: DiffHunk): readonly DiffRow[] {
  const rows: DiffRow[] = [];
  let removed: DiffLine[] = [];
  let added: DiffLine[] = [];
  const settle = (): void => {
    for (let at = 0; at < Math.max(removed.length, added.length); at += 1) {
      rows.push({ from: removed[at] ?? null, to: added[at] ?? null });
    }
    removed = [];
    added = [];
  };
  for (const line of lines) {
    if (line.kind === 'removed') removed.push(line);
    else if (line.kind === 'added') added.push(line);
    else {
      settle();
      rows.push({ from: line, to: line });
    }
  }
  settle();
  return rows;
}
