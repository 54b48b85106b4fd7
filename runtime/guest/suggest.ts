import { bareList, charCodeAt, toLowerCase } from './primordials.ts';

/** Number of single edits between two short texts. */
function distance(a: string, b: string): number {
  let row = bareList<number>();
  for (let j = 0; j <= b.length; j++) row[j] = j;
  for (let i = 1; i <= a.length; i++) {
    const next = bareList<number>();
    next[0] = i;
    for (let j = 1; j <= b.length; j++) {
      const change = (row[j - 1] as number) + (charCodeAt(a, i - 1) === charCodeAt(b, j - 1) ? 0 : 1);
      const edit = 1 + ((row[j] as number) < (next[j - 1] as number) ? (row[j] as number) : (next[j - 1] as number));
      next[j] = change < edit ? change : edit;
    }
    row = next;
  }
  return row[b.length] as number;
}

/** The allowed name that a misspelt one most likely stands for; null when none is near. */
export function nearest(name: string, allowed: readonly string[]): string | null {
  if (name.length > 40) return null;
  let best: string | null = null;
  let least = name.length < 5 ? 2 : 3;
  for (let i = 0; i < allowed.length; i++) {
    const candidate = allowed[i] as string;
    const edits = distance(toLowerCase(name), toLowerCase(candidate));
    if (edits < least) {
      least = edits;
      best = candidate;
    }
  }
  return best;
}

/** `a, b, c` */
export function listed(names: readonly string[]): string {
  let text = '';
  for (let i = 0; i < names.length; i++) text += i === 0 ? names[i] : `, ${names[i]}`;
  return text;
}

export function includes(names: readonly string[], name: unknown): boolean {
  for (let i = 0; i < names.length; i++) if (names[i] === name) return true;
  return false;
}
