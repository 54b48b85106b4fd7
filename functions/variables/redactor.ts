import { latin1FromUtf8 } from '../redis/resp/encode.ts';

/** Takes values of secrets out of what is shown: as they are, as UTF-8 bytes, and as they stand in JSON. */
export interface Redactor {
  /** `[secret NAME]` in their place. */
  text(text: string): string;
  /** As many asterisks in their place, so that lengths within RESP stay right. */
  resp(text: string): string;
}

/** From this length on a line of a secret is taken out by itself: keys in PEM are seldom printed whole. */
const SHORTEST_LINE = 16;

/** @param secrets name and value; null when there are none: then nothing needs to be looked at. */
export function createRedactor(secrets: Iterable<readonly [name: string, value: string]>): Redactor | null {
  const names = new Map<string, string>();
  for (const [name, value] of secrets) {
    for (const form of formsOf(value)) if (!names.has(form)) names.set(form, name);
  }
  if (names.size === 0) return null;
  // The longest first: a form may stand within another one.
  const forms = [...names.keys()].sort((a, b) => b.length - a.length);
  const pattern = new RegExp(forms.map(escaped).join('|'), 'g');
  return {
    text: (text) => text.replace(pattern, (found) => `[secret ${names.get(found)}]`),
    resp: (text) => text.replace(pattern, (found) => '*'.repeat(found.length)),
  };
}

function escaped(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
}

function formsOf(value: string): ReadonlySet<string> {
  const lines = value.split(/\r?\n/).filter((line) => line.length >= SHORTEST_LINE);
  const texts = [value, ...lines].flatMap((text) => [text, JSON.stringify(text).slice(1, -1)]);
  return new Set(texts.flatMap((text) => [text, latin1FromUtf8(text)]));
}
