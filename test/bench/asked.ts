import process from 'node:process';
import { createInterface } from 'node:readline';

/** The other side of `child.ts`: the options this process was started with. */
export function startedWith<Options>(): Options {
  return JSON.parse(process.argv[2] ?? '{}') as Options;
}

/** Says that this process may be used; `more` goes with it. */
export function sayReady(more = ''): void {
  process.stdout.write(`ready ${more}`.trimEnd().concat('\n'));
}

/** Resolves with the first line that comes. */
export async function untilGo(): Promise<void> {
  await new Promise((resolve) => process.stdin.once('data', resolve));
}

/** Answers one line of JSON after another, in order. Ends the process when there are no more. */
export async function answerEach<Question>(answer: (question: Question) => Promise<object>): Promise<void> {
  for await (const line of createInterface({ input: process.stdin })) {
    const reply = await answer(JSON.parse(line) as Question);
    process.stdout.write(`${JSON.stringify(reply)}\n`);
  }
  process.exit(0);
}

/** Starts counting; the answer tells which share of a core this process has taken since. */
export function ownShare(): () => number {
  const begin = process.hrtime.bigint();
  const before = process.cpuUsage();
  return () => {
    const { user, system } = process.cpuUsage(before);
    return (user + system) / (Number(process.hrtime.bigint() - begin) / 1_000);
  };
}
