/** True when a text matches a glob as Redis understands it (`*`, `?`, `[a-z]`, `[^a]`, `\` before a character). */
export function matchesGlob(pattern: string, text: string): boolean {
  let at = 0;
  let from = 0;
  /** Where to go on after the last star: the pattern behind it, and the text it has swallowed so far. */
  let starAt = -1;
  let starFrom = 0;
  while (from < text.length) {
    if (pattern[at] === '*') {
      starAt = at + 1;
      starFrom = from;
      at += 1;
      continue;
    }
    const next = at < pattern.length ? matchOne(pattern, at, text[from] as string) : -1;
    if (next >= 0) {
      at = next;
      from += 1;
    } else if (starAt >= 0) {
      starFrom += 1;
      at = starAt;
      from = starFrom;
    } else return false;
  }
  while (pattern[at] === '*') at += 1;
  return at === pattern.length;
}

/** Position behind the part of the pattern that matched the character; -1 when it does not. */
function matchOne(pattern: string, at: number, character: string): number {
  const first = pattern[at] as string;
  if (first === '?') return at + 1;
  if (first === '[') return matchSet(pattern, at + 1, character);
  if (first === '\\' && at + 1 < pattern.length) return pattern[at + 1] === character ? at + 2 : -1;
  return first === character ? at + 1 : -1;
}

function matchSet(pattern: string, begin: number, character: string): number {
  const negated = pattern[begin] === '^';
  let found = false;
  let at = negated ? begin + 1 : begin;
  for (; at < pattern.length && pattern[at] !== ']'; at += 1) {
    if (pattern[at] === '\\' && at + 1 < pattern.length) at += 1;
    const low = pattern[at] as string;
    if (pattern[at + 1] === '-' && at + 2 < pattern.length) {
      const high = pattern[at + 2] as string;
      found ||= (low <= character && character <= high) || (high <= character && character <= low);
      at += 2;
    } else found ||= low === character;
  }
  return found === negated ? -1 : Math.min(at + 1, pattern.length);
}
