/**
 * `npm run bench [-- suite …] [--rounds n] [--quick] [--json file] [--minutes n]`: our system and its peers in turn on one
 * private Redis; prints figures with their spread beside their goals. Described in docs/benchmarks.md.
 *
 * Exit code 0: every goal that is judged was reached; 1: one was not; 2: the command line is wrong.
 */
import { writeFile } from 'node:fs/promises';
import { cpus, release, totalmem } from 'node:os';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { GOALS, type Goal, type SuiteName } from './goals.ts';
import { type Figures, failsRun, printed, type Row, rowOf } from './row.ts';
import type { SuiteContext } from './suite.ts';
import { batchSuite } from './suites/batch.ts';
import { commandsSuite } from './suites/commands.ts';
import { doorSuite } from './suites/door.ts';
import { fanOutSuite } from './suites/fan-out.ts';
import { idleSuite } from './suites/idle.ts';
import { latencySuite } from './suites/latency.ts';
import { recoverySuite } from './suites/recovery.ts';
import { soakSuite } from './suites/soak.ts';
import { startSuite } from './suites/start.ts';
import { streamsSuite } from './suites/streams.ts';

const SUITES: Readonly<
  Record<SuiteName, (context: SuiteContext) => Promise<Readonly<Record<string, Figures | null>>>>
> = {
  streams: streamsSuite,
  latency: latencySuite,
  commands: commandsSuite,
  door: doorSuite,
  batch: batchSuite,
  'fan-out': fanOutSuite,
  start: startSuite,
  idle: idleSuite,
  recovery: recoverySuite,
  soak: soakSuite,
};
/** Takes ten minutes, and is run by its name only. */
const BY_NAME_ONLY: SuiteName = 'soak';

const print = (line: string): void => void process.stdout.write(`${line}\n`);

function commandLine(): {
  readonly names: readonly SuiteName[];
  readonly context: SuiteContext;
  readonly json?: string;
} {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      rounds: { type: 'string' },
      quick: { type: 'boolean', default: false },
      minutes: { type: 'string', default: '10' },
      json: { type: 'string' },
    },
  });
  const known = Object.keys(SUITES) as SuiteName[];
  const unknown = positionals.find((name) => !known.includes(name as SuiteName));
  if (unknown !== undefined) throw new TypeError(`There is no suite "${unknown}". Suites: ${known.join(', ')}.`);
  const rounds = Number(values.rounds ?? (values.quick ? '1' : '5'));
  if (!Number.isInteger(rounds) || rounds < 1)
    throw new TypeError(`--rounds is a whole number, not "${values.rounds}".`);
  const minutes = Number(values.minutes);
  if (!(minutes > 0)) throw new TypeError(`--minutes is a number above 0, not "${values.minutes}".`);
  const asked = positionals as SuiteName[];
  return {
    names: asked.length > 0 ? asked : known.filter((name) => name !== BY_NAME_ONLY),
    context: { rounds, minutes, quick: values.quick, report: print },
    ...(values.json === undefined ? {} : { json: values.json }),
  };
}

async function run(name: SuiteName, context: SuiteContext): Promise<Readonly<Record<string, Row>>> {
  print(`suite ${name}`);
  const figures = await SUITES[name](context);
  const rows: Record<string, Row> = {};
  for (const [id, goal] of Object.entries(GOALS[name]) as [string, Goal][]) {
    const measured = figures[id] ?? null;
    if (measured === null) {
      print(`not run  ${goal.what}`);
      continue;
    }
    const row = rowOf(goal, measured);
    rows[id] = row;
    print(printed(row));
  }
  print('');
  return rows;
}

async function main(): Promise<number> {
  const { names, context, json } = commandLine();
  const results: Record<string, Readonly<Record<string, Row>>> = {};
  for (const name of names) results[name] = await run(name, context);
  const machine = {
    ...{ node: process.version, kernel: release(), cpus: cpus().length, model: cpus()[0]?.model },
    memoryGb: Math.round(totalmem() / 2 ** 30),
  };
  const { rounds, quick } = context;
  const report = { date: new Date().toISOString(), machine, rounds, quick, results };
  if (json !== undefined) await writeFile(json, `${JSON.stringify(report, null, 2)}\n`);
  return Object.values(results).some((rows) => Object.values(rows).some(failsRun)) ? 1 : 0;
}

try {
  process.exitCode = await main();
} catch (error) {
  if (!(error instanceof TypeError) || error.stack?.includes('/suites/')) throw error;
  print(error.message);
  process.exitCode = 2;
}
