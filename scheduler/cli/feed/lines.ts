const LINE_FEED = 10;
const CARRIAGE_RETURN = 13;

/**
 * Cuts bytes into lines; bytes stay as they are, whatever their encoding. `\n` and `\r\n` end a line, and the last line
 * need not be ended.
 */
export async function* readLines(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of chunks) {
    let begin = 0;
    for (let end = chunk.indexOf(LINE_FEED); end !== -1; end = chunk.indexOf(LINE_FEED, begin)) {
      const piece = chunk.subarray(begin, end);
      yield withoutReturn(rest.length === 0 ? piece : Buffer.concat([rest, piece]));
      rest = rest.length === 0 ? rest : Buffer.alloc(0);
      begin = end + 1;
    }
    if (begin < chunk.length) rest = Buffer.concat([rest, chunk.subarray(begin)]);
  }
  if (rest.length > 0) yield withoutReturn(rest);
}

function withoutReturn(line: Buffer): Buffer {
  return line.at(-1) === CARRIAGE_RETURN ? line.subarray(0, -1) : line;
}
