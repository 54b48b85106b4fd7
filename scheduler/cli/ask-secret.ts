import { PlatformError } from '#functions';

/** Largest text that is read; what the platform takes is less. */
const MOST_BYTES = 1024 * 1024;
const INTERRUPT = '\u0003';
const END = '\u0004';
const ERASE = new Set(['\u007f', '\b']);

/**
 * A value that must not stand on a command line: asked for on a terminal, where it is not shown, else all of standard input without the
 * line break at its end. Null: the person has changed their mind.
 */
export async function askSecret(question: string): Promise<string | null> {
  return process.stdin.isTTY === true ? await typed(question) : await piped();
}

async function piped(): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of process.stdin as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MOST_BYTES)
      throw new PlatformError('ARGUMENT_INVALID', `standard input has more than ${MOST_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks)
    .toString('utf8')
    .replace(/\r?\n$/, '');
}

/** Reads keys one by one, since a terminal shows what it reads as lines. The terminal is as it was in any case. */
async function typed(question: string): Promise<string | null> {
  const { stdin, stderr } = process;
  stderr.write(question);
  stdin.setRawMode(true);
  stdin.setEncoding('utf8');
  let value = '';
  try {
    for await (const keys of stdin as AsyncIterable<string>) {
      for (const key of keys) {
        if (key === INTERRUPT || key === END) return null;
        if (key === '\r' || key === '\n') return value;
        value = ERASE.has(key) ? [...value].slice(0, -1).join('') : value + key;
      }
    }
    return null;
  } finally {
    stdin.setRawMode(false);
    stdin.pause();
    stderr.write('\n');
  }
}
