import type { RequestFramer } from './request-framer.ts';

/** The few command names that the door must know; everything else is `plain` and only passes through. */
export const WORDS = [
  'plain',
  'own',
  'multi',
  'exec',
  'discard',
  'watch',
  'unwatch',
  'auth',
  'hello',
  'reset',
  'client',
  'select',
  'subscribe',
  'psubscribe',
  'ssubscribe',
  'unsubscribe',
  'punsubscribe',
  'sunsubscribe',
  'monitor',
  'sync',
  'psync',
  'quit',
  'xadd',
  'readonly',
  'readwrite',
] as const;
export type Word = (typeof WORDS)[number];

const BY_NAME: ReadonlyMap<string, Word> = new Map(WORDS.slice(2).map((word) => [word, word]));
const LOWER = 32;
const LONGEST = 31;
const R = 114;
const G = 103;
const DOT = 46;

/** For each length and first letter: may it be one of ours? So that no text is made of a GET. */
const CANDIDATES = new Uint8Array((LONGEST + 1) * 256);
for (const word of WORDS.slice(2)) CANDIDATES[word.length * 256 + word.charCodeAt(0)] = 1;

/** What the framer's present request is, by its name alone. */
export function wordOf(framer: RequestFramer): Word {
  const { bytes, nameStart, nameEnd } = framer;
  const length = nameEnd - nameStart;
  const first = (bytes[nameStart] as number) | LOWER;
  if (first === R && length > 3 && ((bytes[nameStart + 1] as number) | LOWER) === G && bytes[nameStart + 2] === DOT) {
    return 'own';
  }
  if (length > LONGEST || CANDIDATES[length * 256 + first] === 0) return 'plain';
  return BY_NAME.get(bytes.toString('latin1', nameStart, nameEnd).toLowerCase()) ?? 'plain';
}

/** The same for a name as text. */
export function wordOfName(name: string): Word {
  const lower = name.toLowerCase();
  return lower.length > 3 && lower.startsWith('rg.') ? 'own' : (BY_NAME.get(lower) ?? 'plain');
}

/** The pub/sub commands, which may have several confirmations for one command. */
export function isSubscription(word: Word): boolean {
  return word.endsWith('subscribe');
}
