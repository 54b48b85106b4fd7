/** A node that takes jobs and never finishes one; prints `took <registration>` for each. To be killed. */
import { Redis } from 'ioredis';
import { pino } from 'pino';
import { createSchedulerKeys } from '../../../scheduler/keys.ts';
import { createAsyncQueue } from '../../../scheduler/queues/create-async-queue.ts';
import { plainAccess } from '../fleet/plain-access.ts';

const port = Number(process.argv[2]);
const server = {
  host: '127.0.0.1',
  port,
  client: (options = {}) => new Redis({ host: '127.0.0.1', port, ...options }),
};
const queue = createAsyncQueue({
  access: plainAccess(server),
  keys: createSchedulerKeys('rg:'),
  settings: { heartbeatMs: 100, heartbeatTimeoutMs: 600, convergeMs: 1_000 },
  concurrency: 10,
  log: pino({ level: 'silent' }),
});
const hang = (what: string): Promise<never> => {
  process.stdout.write(`took ${what}\n`);
  return new Promise(() => {});
};
queue.start({
  runEntries: (job) => hang(job.registrationId),
  runCommand: (job) => hang(job.trigger),
});
