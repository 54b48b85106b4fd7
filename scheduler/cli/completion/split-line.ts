/** Words of a command line as a shell splits them, the last one unfinished. */
export function splitLine(line: string): readonly string[] {
  const words = [''];
  let quote = '';
  for (let at = 0; at < line.length; at += 1) {
    const character = line[at] as string;
    if (quote !== '') {
      if (character === quote) quote = '';
      else words[words.length - 1] += character === '\\' && quote === '"' ? (line[++at] ?? '') : character;
    } else if (character === '"' || character === "'") quote = character;
    else if (character === '\\') words[words.length - 1] += line[++at] ?? '';
    else if (!/\s/.test(character)) words[words.length - 1] += character;
    else if (words.at(-1) !== '') words.push('');
  }
  return words;
}
