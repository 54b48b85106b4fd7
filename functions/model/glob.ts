const STAR = 42;
const QUESTION = 63;
const OPEN = 91;
const CLOSE = 93;
const CARET = 94;
const DASH = 45;
const BACKSLASH = 92;

/**
 * True when all of `text` matches a pattern as Redis knows them (`KEYS`, `PSUBSCRIBE`): `*`, `?`, `[abc]`, `[^a]`, `[a-z]`,
 * `\` before what is meant as it is. Costs at most one step for each pair of characters.
 *
 * Goes back to the last star only: what an earlier one could take instead, the last one can take as well.
 */
export function matchesGlob(pattern: string, text: string): boolean {
  let at = 0;
  let position = 0;
  let starAt = -1;
  let starPosition = 0;
  while (position < text.length) {
    if (pattern.charCodeAt(at) === STAR) {
      starAt = at;
      starPosition = position;
      at += 1;
      continue;
    }
    const next = at < pattern.length ? matchOne(pattern, at, text.charCodeAt(position)) : -1;
    if (next >= 0) {
      at = next;
      position += 1;
    } else if (starAt >= 0) {
      starPosition += 1;
      position = starPosition;
      at = starAt + 1;
    } else return false;
  }
  while (pattern.charCodeAt(at) === STAR) at += 1;
  return at >= pattern.length;
}

/** Where the pattern goes on behind what matched this character; -1 = it does not match. */
function matchOne(pattern: string, at: number, code: number): number {
  const first = pattern.charCodeAt(at);
  if (first === QUESTION) return at + 1;
  if (first === OPEN) return matchClass(pattern, at + 1, code);
  const isEscape = first === BACKSLASH && at + 1 < pattern.length;
  const wanted = isEscape ? pattern.charCodeAt(at + 1) : first;
  return wanted === code ? at + (isEscape ? 2 : 1) : -1;
}

/** `[abc]`, `[a-z]`, `[^a]`; without its end it goes on to the end of the pattern, as in Redis. */
function matchClass(pattern: string, from: number, code: number): number {
  const negated = pattern.charCodeAt(from) === CARET;
  let at = negated ? from + 1 : from;
  let found = false;
  while (at < pattern.length && pattern.charCodeAt(at) !== CLOSE) {
    // What is escaped begins no range.
    const isEscaped = pattern.charCodeAt(at) === BACKSLASH && at + 1 < pattern.length;
    if (isEscaped) at += 1;
    const low = pattern.charCodeAt(at);
    const isRange = !isEscaped && pattern.charCodeAt(at + 1) === DASH && at + 2 < pattern.length;
    const high = isRange ? pattern.charCodeAt(at + 2) : low;
    if (code >= Math.min(low, high) && code <= Math.max(low, high)) found = true;
    at += isRange ? 3 : 1;
  }
  return found === negated ? -1 : Math.min(at + 1, pattern.length);
}
