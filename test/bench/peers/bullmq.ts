/**
 * A BullMQ worker with a trivial job, concurrency 50.
 *
 * Arguments (JSON): { port, work: 'none' | 'write', concurrency }
 */
import process from 'node:process';
import { Worker } from 'bullmq';
import { Redis } from 'ioredis';

const options = JSON.parse(process.argv[2] ?? '{}') as { port: number; work: string; concurrency: number };
const writer = new Redis(options.port);
const connection = new Redis(options.port, { maxRetriesPerRequest: null });
const worker = new Worker<{ user: string }>(
  'bench',
  async (job) => {
    if (options.work === 'write') await writer.hincrby('peer', job.data.user, 1);
  },
  { connection, concurrency: options.concurrency, autorun: false, removeOnComplete: { count: 0 } },
);
await worker.waitUntilReady();
process.stdout.write('ready\n');
process.stdin.once('data', () => {
  void worker.run();
});
