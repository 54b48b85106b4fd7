import { execFile } from 'node:child_process';
import process from 'node:process';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { runCommandLine } from '../../scheduler/cli/main.ts';

/** How a command line ended. */
export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command line in this process, which is quicker, with streams that are no terminal; for commands that use no others. */
export async function runCommand(args: readonly string[]): Promise<Ran> {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const written = [text(stdout), text(stderr)];
  const code = await runCommandLine(args, { stdout, stderr });
  stdout.end();
  stderr.end();
  const [out = '', err = ''] = await Promise.all(written);
  return { code, stdout: out, stderr: err };
}

export interface RunOptions {
  readonly cwd?: string;
  /** All that is in the environment besides the PATH. */
  readonly env?: Readonly<Record<string, string>>;
}

const BIN = fileURLToPath(new URL('../../scheduler/cli/regears.js', import.meta.url));

/** Runs `regears` as a user does, with nothing but a PATH in its environment; resolves also when it fails. */
export function runRegears(args: readonly string[], { cwd, env }: RunOptions = {}): Promise<Ran> {
  const options = { cwd, env: { PATH: process.env.PATH ?? '', ...env } };
  return new Promise((done) => {
    execFile(process.execPath, [BIN, ...args], options, (error, stdout, stderr) => {
      done({ code: error === null ? 0 : Number(error.code), stdout, stderr });
    });
  });
}
