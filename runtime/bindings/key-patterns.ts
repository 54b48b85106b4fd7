import { matchesGlob } from '#functions';

/** Longer keys match only patterns that are a name, or a begin with a star: the others cost time with every character. */
const MAX_SEARCHED_KEY = 4_096;

/** True when a key matches any of the glob patterns, which mean what they mean in `KEYS`. */
export function keyMatcher(patterns: readonly string[]): (key: string) => boolean {
  const matchers = patterns.map(matcherOf);
  return (key) => matchers.some((matches) => matches(key));
}

function matcherOf(pattern: string): (key: string) => boolean {
  const special = pattern.search(/[*?[\\]/);
  if (special < 0) return (key) => key === pattern;
  if (special === pattern.length - 1 && pattern.endsWith('*')) {
    const begin = pattern.slice(0, -1);
    return (key) => key.startsWith(begin);
  }
  return (key) => key.length <= MAX_SEARCHED_KEY && matchesGlob(pattern, key);
}
