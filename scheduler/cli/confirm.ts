import { createInterface } from 'node:readline/promises';

/** Asks a yes-or-no question on a terminal; anything but y or yes is a no, and so are Ctrl-C and Ctrl-D. */
export async function confirm(question: string): Promise<boolean> {
  const prompt = createInterface({ input: process.stdin, output: process.stderr });
  const left = new AbortController();
  const leave = (): void => left.abort();
  prompt.on('SIGINT', leave).on('close', leave);
  try {
    const answer = await prompt.question(`${question} [y/N] `, { signal: left.signal }).catch((error: unknown) => {
      if (!left.signal.aborted) throw error;
      process.stderr.write('\n');
      return '';
    });
    return /^y(es)?$/i.test(answer.trim());
  } finally {
    prompt.close();
  }
}

/** True when somebody sits at the terminal and can be asked. */
export function canAsk(): boolean {
  return process.stdin.isTTY === true && process.stderr.isTTY === true;
}
