/**
 * The prefetching consumer whose handlers run beside it, in `worker_threads` or in child processes: what one writes by hand
 * when the code of a function must not hold up the reading. Batches go to the workers whole, at most two to each.
 *
 * Arguments (JSON): { port, stream, group, count, kind: 'threads' | 'processes', workers }
 */
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { Redis } from 'ioredis';
import { sayReady, startedWith, untilGo } from '../asked.ts';

interface Arguments {
  readonly port: number;
  readonly stream: string;
  readonly group: string;
  readonly count: number;
  readonly kind: 'threads' | 'processes';
  readonly workers: number;
}

type Entry = readonly [id: string, fields: readonly string[]];

interface PoolWorker {
  send(entries: readonly Entry[]): void;
  /** The batch that was sent first has been handled. */
  onDone(done: () => void): void;
}

const BATCHES_AT_ONCE = 2;
const CODE = fileURLToPath(new URL('./pool-worker.ts', import.meta.url));

const options = startedWith<Arguments>();
const reader = new Redis(options.port);
const writer = new Redis(options.port);

function startWorker(): PoolWorker {
  if (options.kind === 'threads') {
    const thread = new Worker(CODE);
    return { send: (entries) => thread.postMessage(entries), onDone: (done) => void thread.on('message', done) };
  }
  // Structured clone instead of JSON: faster for many small texts.
  const child = fork(CODE, { serialization: 'advanced' });
  return { send: (entries) => void child.send(entries as Entry[]), onDone: (done) => void child.on('message', done) };
}

async function read(): Promise<readonly Entry[]> {
  const { group, stream, count } = options;
  const begin = ['GROUP', group, 'peer', 'COUNT', count, 'BLOCK', 1_000, 'STREAMS', stream, '>'] as const;
  const reply = (await reader.xreadgroup(...begin)) as (readonly [string, Entry[]])[] | null;
  return reply?.[0]?.[1] ?? [];
}

/** Hands batches out in turn; resolves when the worker has room. */
function createPool(): (entries: readonly Entry[]) => Promise<void> {
  const workers = Array.from({ length: options.workers }, () => {
    const worker = startWorker();
    const waiting: (readonly Entry[])[] = [];
    const state = { worker, waiting, hasRoom: (): void => {} };
    worker.onDone(() => {
      const entries = waiting.shift() ?? [];
      void writer.xack(options.stream, options.group, ...entries.map(([id]) => id));
      state.hasRoom();
    });
    return state;
  });
  let turn = 0;
  return async (entries) => {
    const state = workers[turn % workers.length] as (typeof workers)[number];
    turn += 1;
    while (state.waiting.length >= BATCHES_AT_ONCE) {
      await new Promise<void>((resolve) => {
        state.hasRoom = resolve;
      });
    }
    state.waiting.push(entries);
    state.worker.send(entries);
  };
}

await Promise.all([reader.ping(), writer.ping()]);
const hand = createPool();
sayReady();
await untilGo();
let next = read();
for (;;) {
  const entries = await next;
  next = read();
  if (entries.length > 0) await hand(entries);
}
