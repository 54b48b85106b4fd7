/**
 * The stream consumer a good engineer would write by hand with ioredis: one consumer group, batches, the next read under
 * way while this one is worked on, one XACK per batch, effects pipelined.
 *
 * Arguments (JSON): { port, stream, group, work: 'none' | 'write', style: 'prefetch' | 'naive' | 'blocked', count }
 */
import process from 'node:process';
import { Redis } from 'ioredis';

interface Arguments {
  readonly port: number;
  readonly stream: string;
  readonly group: string;
  readonly work: 'none' | 'write' | 'push';
  readonly style: 'prefetch' | 'naive' | 'blocked';
  readonly count: number;
}

type Entry = readonly [id: string, fields: readonly string[]];
type Reply = readonly (readonly [key: string, entries: readonly Entry[]])[] | null;

const options = JSON.parse(process.argv[2] ?? '{}') as Arguments;
const reader = new Redis(options.port);
const writer = new Redis(options.port);

async function read(): Promise<Reply> {
  const { group, stream, count } = options;
  return (await reader.xreadgroup(
    'GROUP',
    group,
    'peer',
    'COUNT',
    count,
    'BLOCK',
    1000,
    'STREAMS',
    stream,
    '>',
  )) as Reply;
}

/** Looks at every entry as a consumer would; returned so that nothing can be optimised away. */
function look(entries: readonly Entry[]): number {
  let sum = 0;
  for (const [, fields] of entries) sum += fields[1]?.length ?? 0;
  return sum;
}

async function prefetch(): Promise<void> {
  let next = read();
  for (;;) {
    const reply = await next;
    next = read();
    if (reply === null) continue;
    const entries = reply[0]?.[1] ?? [];
    look(entries);
    const ids = entries.map(([id]) => id);
    if (options.work === 'none') {
      void writer.xack(options.stream, options.group, ...ids);
      continue;
    }
    const pipeline = writer.pipeline();
    for (const [, fields] of entries) pipeline.hincrby('peer', fields[1] ?? '', 1);
    pipeline.xack(options.stream, options.group, ...ids);
    await pipeline.exec();
  }
}

async function naive(): Promise<void> {
  for (;;) {
    const reply = await read();
    for (const [id, fields] of reply?.[0]?.[1] ?? []) {
      if (options.work === 'write') await writer.hincrby('peer', fields[1] ?? '', 1);
      await writer.xack(options.stream, options.group, id);
    }
  }
}

async function blocked(): Promise<void> {
  for (;;) {
    const reply = await read();
    const entries = reply?.[0]?.[1] ?? [];
    if (entries.length === 0) continue;
    const pipeline = writer.pipeline();
    for (const [, fields] of entries) pipeline.rpush('out', fields[1] ?? '');
    await pipeline.exec();
    void writer.xack(options.stream, options.group, ...entries.map(([id]) => id));
  }
}

await Promise.all([reader.ping(), writer.ping()]);
process.stdout.write('ready\n');
process.stdin.once('data', () => {
  const style = { prefetch, naive, blocked }[options.style];
  void style();
});
