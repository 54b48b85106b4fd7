/**
 * A BullMQ worker with a trivial job, on a queue that was filled before.
 *
 * Arguments (JSON): { port, concurrency }
 */
import { Worker } from 'bullmq';
import { Redis } from 'ioredis';
import { sayReady, startedWith, untilGo } from '../asked.ts';

const options = startedWith<{ readonly port: number; readonly concurrency: number }>();
const writer = new Redis(options.port);
const connection = new Redis(options.port, { maxRetriesPerRequest: null });
const worker = new Worker<{ user: string }>(
  'bench',
  async (job) => {
    await writer.hincrby('peer', job.data.user, 1);
  },
  { connection, concurrency: options.concurrency, autorun: false, removeOnComplete: { count: 0 } },
);
await worker.waitUntilReady();
sayReady();
await untilGo();
await worker.run();
