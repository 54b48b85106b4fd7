import { cutStrings, stringEnd } from './cut-replies.ts';

/** Names of keys as a server wrote them: bulk strings, one behind the other. */
export interface KeyNames {
  readonly text: string;
  readonly count: number;
}

/** Each name as it stands there: with its header, ready to be sent again. */
export function listNames({ text, count }: KeyNames): readonly string[] {
  return cutStrings(text, count);
}

export function joinNames(names: readonly string[]): KeyNames {
  return { text: names.join(''), count: names.length };
}

/** Names without those that begin with `prefix`; the same object when there are none. */
export function withoutPrefix(names: KeyNames, prefix: string): KeyNames {
  if (!names.text.includes(prefix)) return names;
  const kept = listNames(names).filter((name) => !name.startsWith(prefix, name.indexOf('\n') + 1));
  return kept.length === names.count ? names : joinNames(kept);
}

/** The names in portions of at most `sizeOf()`, which is asked before each. */
export function* portionsOf(names: KeyNames, sizeOf: () => number): Generator<KeyNames> {
  let { text, count } = names;
  while (count > 0) {
    const size = Math.max(1, Math.min(count, sizeOf()));
    if (size === count) {
      yield { text, count };
      return;
    }
    let end = 0;
    for (let i = 0; i < size; i += 1) end = stringEnd(text, end);
    yield { text: text.slice(0, end), count: size };
    text = text.slice(end);
    count -= size;
  }
}
