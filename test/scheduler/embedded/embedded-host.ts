/** A platform with nothing but an embedded server below the directory named; prints `<url> <pid>`. To be killed. */
import { pino } from 'pino';
import { startEmbeddedRedis } from '../../../scheduler/embedded/start-embedded-redis.ts';

const server = await startEmbeddedRedis({ dataDir: process.argv[2] ?? '', log: pino({ level: 'silent' }) });
process.stdout.write(`${server.url} ${server.pid}\n`);
setInterval(() => {}, 60_000);
