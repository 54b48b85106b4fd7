import { once } from 'node:events';
import process from 'node:process';
import { spawnTracked } from '../support/children.ts';
import { shareOf } from './processes.ts';

/** What one run of redis-benchmark found. */
export interface CommandFigures {
  readonly perSecond: number;
  readonly p50: number;
  readonly p99: number;
  /** Share of a core that the generator took; NaN where it cannot be told. */
  readonly generator: number;
}

export interface CommandLoad {
  readonly port: number;
  readonly clients: number;
  /** Commands that a client sends before it reads their replies. */
  readonly pipeline: number;
  readonly requests: number;
  /** A command, or `-t` and one of its own tests. */
  readonly command: readonly string[];
}

const WARM_UP_SHARE = 0.25;
const PROGRAMS = ['redis-benchmark', 'valkey-benchmark'];

/** Runs the load twice: a quarter of it to warm up, then all of it. */
export async function benchmarkCommands(load: CommandLoad): Promise<CommandFigures> {
  await run({ ...load, requests: Math.ceil(load.requests * WARM_UP_SHARE) });
  return await run(load);
}

async function run(load: CommandLoad): Promise<CommandFigures> {
  const { port, clients, pipeline, requests, command } = load;
  const amount = ['-c', clients, '-P', pipeline, '-n', requests].map(String);
  // Values of 64 bytes under 100,000 keys, where the command has some.
  const args = ['-p', String(port), ...amount, '-d', '64', '-r', '100000', '--csv', ...command];
  const child = await startProgram(args);
  const share = await shareOf(child.pid ?? -1);
  let generator = Number.NaN;
  // What a process has used is lost when it ends: the last look counts.
  const looking = setInterval(
    () =>
      void share().then((now) => {
        if (now > 0) generator = now;
      }),
    50,
  );
  try {
    const text = await textOf(child);
    const lines = text.trim().split('\n');
    const heads = cells(lines.at(-2) ?? '');
    const values = cells(lines.at(-1) ?? '');
    const value = (name: string): number => Number(values[heads.indexOf(name)]);
    const figures = { perSecond: value('rps'), p50: value('p50_latency_ms'), p99: value('p99_latency_ms'), generator };
    if (!(figures.perSecond > 0)) throw new Error(`redis-benchmark ${args.join(' ')} answered:\n${text}`);
    return figures;
  } finally {
    clearInterval(looking);
  }
}

type Child = ReturnType<typeof spawnTracked>;

async function startProgram(args: readonly string[]): Promise<Child> {
  for (const program of PROGRAMS) {
    const child = spawnTracked(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    const started = await Promise.race([once(child, 'spawn'), once(child, 'error').then(() => null)]).catch(() => null);
    if (started !== null) return child;
  }
  throw new Error(
    `Neither ${PROGRAMS.join(' nor ')} is on the PATH (${process.env.PATH}). It comes with the server's tools.`,
  );
}

async function textOf(child: Child): Promise<string> {
  let text = '';
  child.stdout?.on('data', (chunk: Buffer) => {
    text += chunk.toString();
  });
  child.stderr?.resume();
  await once(child, 'close');
  return text;
}

/** Cells of a line of CSV whose cells are all quoted. */
function cells(line: string): readonly string[] {
  return line.replace(/^"|"$/g, '').split('","');
}
