/**
 * What one writes by hand to run uploaded code away from one's own: a new thread (`worker_threads`) or a new process
 * (`child_process`) for code that has not run yet. Answers each question { kind, source } with { tookMs }: from the start to the
 * answer of the first call.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { performance } from 'node:perf_hooks';
import process from 'node:process';
import { Worker } from 'node:worker_threads';
import { answerEach, sayReady } from '../asked.ts';

interface Question {
  readonly kind: keyof typeof KINDS;
  /** An expression: the function. */
  readonly source: string;
}

const THREAD = `const { parentPort } = require('node:worker_threads');
parentPort.on('message', ({ source, argument }) => parentPort.postMessage(eval(source)(argument)));`;
const PROCESS = `process.on('message', ({ source, argument }) => process.send(eval(source)(argument)));`;

const KINDS = {
  async thread(message: object): Promise<AsyncDisposable> {
    const thread = new Worker(THREAD, { eval: true });
    thread.postMessage(message);
    await once(thread, 'message');
    return { [Symbol.asyncDispose]: async () => void (await thread.terminate()) };
  },
  async process(message: object): Promise<AsyncDisposable> {
    const child: ChildProcess = spawn(process.execPath, ['-e', PROCESS], {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    child.send(message);
    await once(child, 'message');
    return {
      async [Symbol.asyncDispose]() {
        const exited = once(child, 'exit');
        child.kill('SIGKILL');
        await exited;
      },
    };
  },
} as const;

sayReady();
await answerEach(async ({ kind, source }: Question) => {
  const begin = performance.now();
  await using _worker = await KINDS[kind]({ source, argument: ['', 'ann'] });
  return { tookMs: performance.now() - begin };
});
