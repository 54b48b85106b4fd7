/** A quote may be open at the end, and a backslash the last character. */
const WORD = /(?:\\.?|"(?:\\.|[^"\\])*\\?"?|'[^']*'?|[^\s\\"'])+/gs;
const PART = /\\(.?)|"((?:\\.|[^"\\])*)\\?"?|'([^']*)'?|([^\\"']+)/gs;

/** Words of a command line as a shell splits them, the last one unfinished. */
export function splitLine(line: string): readonly string[] {
  const found = [...line.matchAll(WORD)];
  const last = found.at(-1);
  const isOpen = last !== undefined && last.index + last[0].length === line.length;
  return [...found.map(([word]) => unquoted(word)), ...(isOpen ? [] : [''])];
}

function unquoted(word: string): string {
  const parts = [...word.matchAll(PART)].map(([, escaped, double, single, plain]) => {
    return double?.replace(/\\(.)/gs, '$1') ?? escaped ?? single ?? plain ?? '';
  });
  return parts.join('');
}
