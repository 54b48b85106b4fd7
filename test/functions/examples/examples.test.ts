import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { createContext, Script } from 'node:vm';
import { expect, test } from 'vitest';
import { bundleFile } from '../../../functions/artifacts/bundle.ts';

const examples = fileURLToPath(new URL('../../../functions/examples/', import.meta.url));
const root = fileURLToPath(new URL('../../../', import.meta.url));
const REAL_LOG = `${root}../shared/data/access.log`;

interface Step {
  readonly kind: string;
  readonly callback: (record: unknown) => unknown;
}
interface Plan {
  readonly reader: string;
  readonly steps: readonly Step[];
  readonly options: Record<string, unknown>;
}

/** Evaluates an example where the builder only notes what it is given: what the callbacks do is then plain to see. */
async function plansOf(file: string, globals: object = {}): Promise<readonly Plan[]> {
  const { source } = await bundleFile(`${examples}${file}`);
  const plans: Plan[] = [];
  function GearsBuilder(reader: string): object {
    const steps: Step[] = [];
    const note = (kind: string) => (callback: Step['callback']) => {
      steps.push({ kind, callback });
      return builder;
    };
    const builder = {
      map: note('map'),
      filter: note('filter'),
      foreach: note('foreach'),
      register: (options: Record<string, unknown>) => plans.push({ reader, steps, options }),
    };
    return builder;
  }
  new Script(source).runInContext(createContext({ GearsBuilder, GB: GearsBuilder, ...globals }));
  return plans;
}

/** Counters in the shape of Redis hashes. */
function counters(): { execute: (...args: unknown[]) => Promise<number>; hashes: Map<string, Map<string, number>> } {
  const hashes = new Map<string, Map<string, number>>();
  const add = (key: string, field: string, by: number): number => {
    const hash = hashes.get(key) ?? new Map<string, number>();
    hashes.set(key, hash.set(field, (hash.get(field) ?? 0) + by));
    return hash.get(field) ?? 0;
  };
  const execute = async (command: unknown, ...args: unknown[]): Promise<number> => {
    if (command === 'HINCRBY') return add(String(args[0]), String(args[1]), Number(args[2]));
    if (command === 'INCR') return add(String(args[0]), '', 1);
    throw new Error(`no ${String(command)} here`);
  };
  return { execute, hashes };
}

async function countLines(lines: readonly string[]): Promise<Map<string, Map<string, number>>> {
  const { execute, hashes } = counters();
  const [plan] = await plansOf('access-log.ts', { execute });
  const callback = plan?.steps[0]?.callback;
  for (const [n, line] of lines.entries()) await callback?.({ key: 'logs:web', id: `${n}-0`, value: { line } });
  return hashes;
}

function awk(lines: readonly string[], column: number): Map<string, number> {
  const counts = new Map<string, number>();
  for (const line of lines) {
    const word = line.trim().split(/\s+/)[column - 1] ?? '';
    counts.set(word, (counts.get(word) ?? 0) + 1);
  }
  return counts;
}

test('every example is type-correct against the types for authors', async () => {
  const tsc = `${root}node_modules/.bin/tsc`;
  const { stdout } = await promisify(execFile)(tsc, ['-p', examples], { cwd: root });
  expect(stdout).toBe('');
});

test('every example registers something with a bounded, known set of options', async () => {
  for (const file of readdirSync(examples).filter((name) => /(?<!\.test)\.ts$/.test(name))) {
    const plans = await plansOf(file);
    expect(plans.length, file).toBeGreaterThan(0);
    for (const { options } of plans) expect(Boolean(options.prefix ?? options.trigger), file).toBe(true);
  }
});

test('clicks counts per user and page and filters what has neither', async () => {
  const { execute, hashes } = counters();
  const [plan] = await plansOf('clicks.ts', { execute });
  const [filter, foreach] = plan?.steps ?? [];
  const record = { key: 'events:web', id: '1-0', value: { user: 'ann', page: '/home' } };
  expect(filter?.callback(record)).toBe(true);
  expect(filter?.callback({ ...record, value: { user: 'ann' } })).toBe(false);
  await foreach?.callback(record);
  expect(hashes.get('clicks:ann')).toEqual(new Map([['/home', 1]]));
  expect(plan?.options).toMatchObject({ prefix: 'events:*' });
});

test('greet answers by name', async () => {
  const { execute } = counters();
  const [plan] = await plansOf('greet.ts', { execute });
  const greet = plan?.steps[0]?.callback;
  expect(await greet?.(['greet', 'ann'])).toBe('Hello ann, nice to meet you.');
  expect(await greet?.(['greet', 'ann'])).toBe('Hello ann, that makes 2 times.');
  expect(await greet?.(['greet'])).toBe('Hello stranger, nice to meet you.');
  expect(plan?.options).toMatchObject({ trigger: 'greet' });
});

test('access-log counts status, path and client, and the lines it cannot read', async () => {
  const line = (client: string, request: string, status: number): string =>
    `${client} - - [17/May/2015:10:05:03 +0000] "${request}" ${status} 12 "http://a/ b" "Agent (x; y) \\"z\\""`;
  const hashes = await countLines([
    line('1.2.3.4', 'GET /a?b=c HTTP/1.1', 200),
    line('1.2.3.4', 'POST /a?b=c HTTP/1.0', 404),
    line('::1', 'GET / HTTP/1.1', 200).replace('200 12', '200 -'),
    line('::1', 'GET /with\\"quote HTTP/1.1', 301),
    '127.0.0.1 - frank [10/Oct/2000:13:55:36 -0700] "GET /apache_pb.gif HTTP/1.0" 200 2326',
    line('1.1.1.1', '-', 408),
    'nonsense',
    '',
  ]);
  const entries = (key: string): object => Object.fromEntries(hashes.get(key) ?? []);
  expect(entries('log:status')).toEqual({ 200: 3, 404: 1, 301: 1 });
  expect(entries('log:path')).toEqual({ '/a?b=c': 2, '/': 1, '/with\\"quote': 1, '/apache_pb.gif': 1 });
  expect(entries('log:client')).toEqual({ '1.2.3.4': 2, '::1': 2, '127.0.0.1': 1 });
  expect(entries('log:unparsed')).toEqual({ '': 3 });
});

test.runIf(existsSync(REAL_LOG))('access-log agrees with awk about a real log', async () => {
  const lines = readFileSync(REAL_LOG, 'utf8').split('\n').filter(Boolean);
  const hashes = await countLines(lines);
  for (const [key, column] of [
    ['log:client', 1],
    ['log:path', 7],
    ['log:status', 9],
  ] as const) {
    expect(hashes.get(key)).toEqual(awk(lines, column));
  }
  expect(hashes.has('log:unparsed')).toBe(false);
});

test('orders takes from the stock what is there and refuses the rest', async () => {
  const data = new Map<string, number | string>([['stock:{tea}', 3]]);
  const execute = async (command: string, key: string, value: unknown): Promise<unknown> => {
    if (command === 'GET') return data.get(key) ?? null;
    if (command === 'RPUSH') data.set(key, String(value));
    else data.set(key, Number(data.get(key) ?? 0) + Number(value) * (command === 'DECRBY' ? -1 : 1));
    return data.get(key);
  };
  const atomic = (fn: (tx: object) => Promise<unknown>): Promise<unknown> => fn({ execute });
  const [orders] = await plansOf('orders.ts', { execute, atomic });
  const order = (id: string, count: string): unknown =>
    orders?.steps[0]?.callback({ key: 'orders:shop', id, value: { item: 'tea', count } });
  await order('1-0', '2');
  await order('2-0', '2');
  expect(Object.fromEntries(data)).toEqual({ 'stock:{tea}': 1, 'sold:{tea}': 2, 'refused:{tea}': '2-0 2' });
  await expect(order('3-0', '-1')).rejects.toThrow('makes no sense');
});
