/**
 * `npm run bench [-- suite] [--rounds n] [--quick] [--out file]`: our system and its peers in turn on one private Redis;
 * prints ratios with their spread and writes JSON. Exit code 1 when a goal was not reached.
 */
import { writeFile } from 'node:fs/promises';
import { cpus, release } from 'node:os';
import process from 'node:process';
import { parseArgs } from 'node:util';
import type { RatioRow } from './statistics.ts';
import { batchSuite } from './suites/batch.ts';
import { recoverySuite } from './suites/recovery.ts';
import { type SuiteSize, streamsSuite } from './suites/streams.ts';

type Suite = (size: SuiteSize, report: (line: string) => void) => Promise<readonly RatioRow[]>;
const SUITES: Readonly<Record<string, Suite>> = { streams: streamsSuite, batch: batchSuite, recovery: recoverySuite };

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string', default: '3' },
    quick: { type: 'boolean', default: false },
    out: { type: 'string' },
  },
});

const size: SuiteSize = values.quick
  ? { rounds: 1, entries: 100_000, slowEntries: 5_000, samples: 600 }
  : { rounds: Number(values.rounds), entries: 400_000, slowEntries: 30_000, samples: 6_000 };

const print = (line: string): void => void process.stdout.write(`${line}\n`);

const names = positionals.length > 0 ? positionals : Object.keys(SUITES);
const results: Record<string, readonly RatioRow[]> = {};
for (const name of names) {
  const suite = SUITES[name];
  if (suite === undefined) {
    print(`There is no suite "${name}". Suites: ${Object.keys(SUITES).join(', ')}.`);
    process.exit(2);
  }
  print(`suite ${name}`);
  results[name] = await suite(size, print);
  print('');
  for (const row of results[name]) print(line(row));
}
const machine = { node: process.version, cpus: cpus().length, model: cpus()[0]?.model, kernel: release() };
if (values.out !== undefined) await writeFile(values.out, `${JSON.stringify({ machine, results }, null, 2)}\n`);
process.exitCode = Object.values(results).every((rows) => rows.every((row) => row.reached)) ? 0 : 1;

function line(row: RatioRow): string {
  const goal = 'atLeast' in row.goal ? `>= ${row.goal.atLeast}` : `<= ${row.goal.atMost}`;
  const figures = [row.ratio.median, row.ratio.least, row.ratio.greatest].map((figure) => figure.toFixed(2));
  const spread = `${figures[0]}x (${figures[1]} to ${figures[2]})`;
  const show = (figure: number): string => (figure >= 100 ? Math.round(figure).toString() : figure.toFixed(3));
  const absolute = `${show(row.ours.median)} against ${show(row.peer.median)} ${row.unit}`;
  return `${row.reached ? 'reached' : 'MISSED '}  ${row.what.padEnd(38)} ${spread.padEnd(26)} goal ${goal.padEnd(8)} ${absolute}`;
}
