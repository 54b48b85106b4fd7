import { utf8FromLatin1 } from '#functions';
import type { KeySnapshot, Snapshot } from '../redis/snapshot.ts';

/** The first thing that is not the same in a key. */
export interface Difference {
  /** Latin1 text. */
  readonly key: string;
  /** A sentence about what was expected and what is there. */
  readonly what: string;
}

/** What differs, one difference a key, by names of keys. */
export function compareSnapshots(expected: Snapshot, found: Snapshot): readonly Difference[] {
  const keys = [...new Set([...expected.keys(), ...found.keys()])].sort();
  return keys.flatMap((key) => {
    const what = whatDiffers(expected.get(key), found.get(key));
    return what === null ? [] : [{ key, what: `${shown(key)}: ${what}` }];
  });
}

function whatDiffers(expected: KeySnapshot | undefined, found: KeySnapshot | undefined): string | null {
  if (expected === undefined)
    return found === undefined ? null : `there is a ${found.type}, after a clean run there is nothing`;
  if (found === undefined) return `the ${expected.type} of a clean run is missing`;
  if (expected.type !== found.type) return `a ${found.type}, after a clean run a ${expected.type}`;
  const names = [...new Set([...expected.parts.keys(), ...found.parts.keys()])].sort(byNumber);
  const part = names.find((name) => expected.parts.get(name) !== found.parts.get(name));
  if (part !== undefined) return partDiffers(expected, found, part);
  if (expected.expires === found.expires) return null;
  return found.expires ? 'it expires, after a clean run it does not' : 'it does not expire, after a clean run it does';
}

const PART_NAMES: Readonly<Record<string, string>> = {
  hash: 'field',
  list: 'element',
  set: 'member',
  zset: 'member',
  stream: 'entry',
};

function partDiffers(expected: KeySnapshot, found: KeySnapshot, part: string): string {
  const name = PART_NAMES[found.type];
  const label = name === undefined ? '' : `${name} ${shown(part)} of the ${found.type} `;
  const [before, after] = [expected.parts.get(part), found.parts.get(part)];
  if (found.type === 'set')
    return `${label}is ${after === undefined ? 'missing' : 'there, after a clean run it is not'}`;
  if (before === undefined) return `${label}is ${shown(after ?? '')}, after a clean run it is not there`;
  if (after === undefined) return `${label}is missing, after a clean run it is ${shown(before)}`;
  return `${label}is ${shown(after)}, after a clean run ${shown(before)}`;
}

function byNumber(a: string, b: string): number {
  return Number(a) - Number(b) || (a < b ? -1 : 1);
}

const SHOWN_CHARACTERS = 120;

function shown(latin1: string): string {
  const text = utf8FromLatin1(latin1);
  const short = text.length > SHOWN_CHARACTERS ? `${text.slice(0, SHOWN_CHARACTERS)}…` : text;
  return /^[\x21-\x7e]+$/.test(short) ? short : JSON.stringify(short);
}
