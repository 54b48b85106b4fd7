/**
 * Stream consumers as people write them by hand with ioredis: one consumer group, two connections.
 *
 * - `naive`: entries one after another, every command awaited, one XACK each.
 * - `pipelined`: a batch, its commands and its XACK in one pipeline, then the next read.
 * - `prefetching`: the same with the next read under way meanwhile; the fastest of the three, and what ours is compared with.
 *
 * Arguments (JSON): { port, stream, group, work, style, count }
 */
import { type ChainableCommander, Redis } from 'ioredis';
import { sayReady, startedWith, untilGo } from '../asked.ts';

interface Arguments {
  readonly port: number;
  readonly stream: string;
  readonly group: string;
  readonly work: keyof typeof WORKS;
  readonly style: 'naive' | 'pipelined' | 'prefetching';
  readonly count: number;
}

type Text = string | Buffer;
type Entry = readonly [id: Text, fields: readonly Text[]];
type Reply = readonly (readonly [key: Text, entries: readonly Entry[]])[] | null;

const options = startedWith<Arguments>();
const reader = new Redis(options.port);
const writer = new Redis(options.port);
/** What handlers without an effect add up. */
const sums = { seen: 0 };

async function read(): Promise<Reply> {
  const { group, stream, count, work } = options;
  const begin = ['GROUP', group, 'peer', 'COUNT', count, 'BLOCK', 1_000, 'STREAMS', stream, '>'] as const;
  // Bytes that are no text survive as buffers only.
  return (work === 'mixed' ? await reader.xreadgroupBuffer(...begin) : await reader.xreadgroup(...begin)) as Reply;
}

/** The fields as the handler of a user would have them. */
function fieldsOf(fields: readonly Text[]): Record<string, Text> {
  const value: Record<string, Text> = {};
  for (let n = 0; n + 1 < fields.length; n += 2) value[String(fields[n])] = fields[n + 1] as Text;
  return value;
}

function effect(entry: Entry, pipeline: ChainableCommander): void {
  const value = fieldsOf(entry[1]);
  if (options.work === 'write') pipeline.hincrby('peer', String(value.user), 1);
  else if (options.work === 'push') pipeline.rpush('out', value.t ?? '');
}

/** What is done with the entries of a batch before they are acknowledged. */
const WORKS = {
  async none(entries: readonly Entry[]): Promise<void> {
    for (const [, fields] of entries) sums.seen += fieldsOf(fields).user === undefined ? 0 : 1;
  },
  async large(entries: readonly Entry[]): Promise<void> {
    for (const [, fields] of entries) sums.seen += fieldsOf(fields).document?.length ?? 0;
  },
  async mixed(entries: readonly Entry[]): Promise<void> {
    for (const [, fields] of entries) {
      const { text, image } = fieldsOf(fields);
      sums.seen += String(text).length + (image?.length ?? 0);
    }
  },
  async write(entries: readonly Entry[]): Promise<void> {
    const pipeline = writer.pipeline();
    for (const entry of entries) effect(entry, pipeline);
    await finish(entries, pipeline);
  },
  async push(entries: readonly Entry[]): Promise<void> {
    const pipeline = writer.pipeline();
    for (const entry of entries) effect(entry, pipeline);
    await finish(entries, pipeline);
  },
  /** What is written depends on what was read: two rounds. */
  async dependent(entries: readonly Entry[]): Promise<void> {
    const values = entries.map(([, fields]) => fieldsOf(fields));
    const reads = writer.pipeline();
    for (const { user } of values) reads.hget('prices', String(user));
    const prices = (await reads.exec()) ?? [];
    const writes = writer.pipeline();
    for (const [n, { user, amount }] of values.entries()) {
      writes.hset('totals', String(user), Number(prices[n]?.[1] ?? 0) + Number(amount));
    }
    await finish(entries, writes);
  },
} as const;

const ACKNOWLEDGES_ITSELF: ReadonlySet<string> = new Set(['write', 'push', 'dependent']);

/** Effects and their XACK in one pipeline: nothing is acknowledged before it has happened. */
async function finish(entries: readonly Entry[], pipeline: ChainableCommander): Promise<void> {
  pipeline.xack(options.stream, options.group, ...entries.map(([id]) => id));
  await pipeline.exec();
}

async function handle(entries: readonly Entry[]): Promise<void> {
  if (entries.length === 0) return;
  await WORKS[options.work](entries);
  if (ACKNOWLEDGES_ITSELF.has(options.work)) return;
  // Nobody needs to wait for this one.
  void writer.xack(options.stream, options.group, ...entries.map(([id]) => id));
}

function entriesOf(reply: Reply): readonly Entry[] {
  return reply?.[0]?.[1] ?? [];
}

const STYLES = {
  async naive(): Promise<void> {
    for (;;) {
      for (const [id, fields] of entriesOf(await read())) {
        const { user } = fieldsOf(fields);
        if (options.work === 'write') await writer.hincrby('peer', String(user), 1);
        await writer.xack(options.stream, options.group, id);
      }
    }
  },
  async pipelined(): Promise<void> {
    for (;;) await handle(entriesOf(await read()));
  },
  async prefetching(): Promise<void> {
    let next = read();
    for (;;) {
      const reply = await next;
      next = read();
      await handle(entriesOf(reply));
    }
  },
} as const;

await Promise.all([reader.ping(), writer.ping()]);
sayReady();
await untilGo();
await STYLES[options.style]();
