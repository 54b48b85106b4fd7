const ESCAPES: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', b: '\b', a: '\x07' };
const BLANK = /[\s\0]/;

/**
 * The words of an inline request as Redis splits them: double quotes with escapes, single quotes with `\'`. Null when
 * quotes are unbalanced.
 */
export function splitInline(line: string): string[] | null {
  const words: string[] = [];
  let at = 0;
  for (;;) {
    while (at < line.length && BLANK.test(line[at] ?? '')) at += 1;
    if (at >= line.length) return words;
    const word = readWord(line, at);
    if (word === null) return null;
    words.push(word.text);
    at = word.end;
  }
}

interface Word {
  readonly text: string;
  readonly end: number;
}

function readWord(line: string, from: number): Word | null {
  let text = '';
  let at = from;
  while (at < line.length && !BLANK.test(line[at] ?? '')) {
    const c = line[at] ?? '';
    if (c !== '"' && c !== "'") {
      text += c;
      at += 1;
      continue;
    }
    const quoted = c === '"' ? readDouble(line, at + 1) : readSingle(line, at + 1);
    if (quoted === null) return null;
    return { text: text + quoted.text, end: quoted.end };
  }
  return { text, end: at };
}

function readDouble(line: string, from: number): Word | null {
  let text = '';
  for (let at = from; at < line.length; at += 1) {
    const c = line[at] ?? '';
    if (c === '"') return closed(line, text, at + 1);
    if (c !== '\\' || at + 1 >= line.length) {
      text += c;
      continue;
    }
    const hex = /^x([0-9a-fA-F]{2})/.exec(line.slice(at + 1, at + 4));
    const next = line[at + 1] ?? '';
    text += hex ? String.fromCharCode(Number.parseInt(hex[1] ?? '', 16)) : (ESCAPES[next] ?? next);
    at += hex ? 3 : 1;
  }
  return null;
}

function readSingle(line: string, from: number): Word | null {
  let text = '';
  for (let at = from; at < line.length; at += 1) {
    const c = line[at] ?? '';
    if (c === "'") return closed(line, text, at + 1);
    if (c === '\\' && line[at + 1] === "'") at += 1;
    text += line[at] ?? '';
  }
  return null;
}

/** A closing quote must be followed by a blank or nothing. */
function closed(line: string, text: string, end: number): Word | null {
  return end >= line.length || BLANK.test(line[end] ?? '') ? { text, end } : null;
}
