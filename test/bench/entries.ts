import { performance } from 'node:perf_hooks';
import { setTimeout as pause } from 'node:timers/promises';
import { Redis } from 'ioredis';
import type { TestRedis } from '../support/redis.ts';

/** Streams are made once, in another database, and copied for every run: each competitor finds the same bytes. */
const TEMPLATE_DB = 1;

/** What an entry looks like. */
export type Payload = 'click' | 'large' | 'mixed';

/** The stream everybody works on. */
export const STREAM = 'bench:stream';

/** Entries that are worked on before the clock starts, of all. */
const WARM_UP_SHARE = 0.2;
const DEADLINE_MS = 300_000;

/** Makes the streams that runs begin with. */
export interface StreamTemplates extends AsyncDisposable {
  readonly redis: Redis;
  /** Empties the database and puts the stream in place; answers how many entries it has. */
  reset(payload: Payload, entries: number): Promise<number>;
}

export function openTemplates(server: TestRedis): StreamTemplates {
  const redis = new Redis(server.port);
  const templates = new Redis(server.port, { db: TEMPLATE_DB });
  return {
    redis,
    async reset(payload, entries) {
      const name = `${payload}:${entries}`;
      if ((await templates.exists(name)) === 0) {
        // One at a time: with large payloads two of them would be gigabytes.
        await templates.flushdb();
        await fill(templates, name, { payload, entries });
      }
      await redis.flushdb();
      await templates.call('COPY', name, STREAM, 'DB', '0');
      return entries;
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([redis.quit(), templates.quit()]);
    },
  };
}

async function fill(redis: Redis, stream: string, load: { readonly payload: Payload; readonly entries: number }) {
  const atOnce = load.payload === 'large' ? 100 : 1_000;
  for (let first = 0; first < load.entries; first += atOnce) {
    const pipeline = redis.pipeline();
    for (let n = first; n < Math.min(first + atOnce, load.entries); n += 1) {
      pipeline.xadd(stream, '*', ...FIELDS[load.payload](n));
    }
    await pipeline.exec();
  }
}

const LARGE_TEXT = '{"kind":"document","words":"lorem ipsum dolor sit amet"},'.repeat(1_200).slice(0, 65_536);
const MIXED_TEXT = 'Überprüfung der Größe – 確認済み, naïve café. '.repeat(12);
const BINARY = Buffer.from(Array.from({ length: 400 }, (_, n) => (n * 7 + 128) % 256));

const FIELDS: Readonly<Record<Payload, (n: number) => (string | Buffer)[]>> = {
  /** Four fields, some 60 bytes. */
  click: (n) => ['user', `u${n % 5000}`, 'action', 'click', 'amount', String(n % 1000), 'ts', '1700000000000'],
  large: (n) => ['user', `u${n % 5000}`, 'document', LARGE_TEXT],
  /** Text that is not ASCII and bytes that are no text, about 1 kB together. */
  mixed: (n) => ['user', `u${n % 5000}`, 'text', MIXED_TEXT, 'image', BINARY],
};

export interface DrainWatch {
  readonly redis: Redis;
  readonly group: string;
  readonly entries: number;
}

/**
 * Entries per second a group reaches, seen from the server, the same way for every competitor: read and acknowledged. The
 * clock starts when the first fifth is done, so that nobody is measured while his code is being compiled.
 */
export async function measureDrain({ redis, group, entries }: DrainWatch): Promise<number> {
  const warmUp = entries * WARM_UP_SHARE;
  const giveUp = performance.now() + DEADLINE_MS;
  let begin: { readonly at: number; readonly done: number } | null = null;
  for (;;) {
    const done = await doneBy(redis, group);
    const now = performance.now();
    if (begin === null && done >= warmUp) begin = { at: now, done };
    if (begin !== null && done >= entries) return ((done - begin.done) / (now - begin.at)) * 1000;
    if (now > giveUp) throw new Error(`Group ${group} stands at ${done} of ${entries} entries.`);
    await pause(4);
  }
}

async function doneBy(redis: Redis, group: string): Promise<number> {
  const groups = (await redis.xinfo('GROUPS', STREAM)) as unknown[][];
  for (const row of groups) {
    const fact = (name: string): unknown => row[row.indexOf(name) + 1];
    if (fact('name') === group) return Number(fact('entries-read') ?? 0) - Number(fact('pending'));
  }
  return 0;
}
