/** A piece of source text and what it is, for colouring. */
export interface Token {
  readonly kind: 'plain' | 'comment' | 'text' | 'keyword' | 'number' | 'name';
  readonly text: string;
}

const KEYWORDS = new Set(
  `as async await break case catch class const continue debugger default delete do else export extends false finally for from
  function if import in instanceof interface let new null of return static super switch this throw true try type typeof
  undefined var void while with yield readonly public private protected`.split(/\s+/),
);

/** Comments and texts (they may reach over lines), numbers, words, and everything else one by one. */
const PIECES =
  /(\/\/[^\n]*|\/\*[\s\S]*?(?:\*\/|$))|("(?:\\.|[^"\\\n])*"?|'(?:\\.|[^'\\\n])*'?|`(?:\\[\s\S]|[^`\\])*`?)|(\b(?:0[xob][\da-f_]+|\d[\d_]*(?:\.\d+)?(?:e[+-]?\d+)?)n?\b)|([A-Za-z_$][\w$]*)|([^\w$"'`/]+|[\s\S])/gi;

/** The lines of JavaScript or TypeScript source, each as tokens. Good enough to read by, no parser. */
export function tokenLines(source: string): readonly (readonly Token[])[] {
  const lines: Token[][] = [[]];
  for (const match of source.matchAll(PIECES)) {
    const kind = kindOf(match, source);
    for (const [at, text] of match[0].split('\n').entries()) {
      if (at > 0) lines.push([]);
      if (text !== '') lines.at(-1)?.push({ kind, text });
    }
  }
  return lines;
}

function kindOf(match: RegExpExecArray, source: string): Token['kind'] {
  const [all, comment, text, number, word] = match;
  if (comment !== undefined) return 'comment';
  if (text !== undefined) return 'text';
  if (number !== undefined) return 'number';
  if (word === undefined) return 'plain';
  if (KEYWORDS.has(word)) return 'keyword';
  return source[match.index + all.length] === '(' ? 'name' : 'plain';
}
