import { execFile } from 'node:child_process';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

/** How a command line ended. */
export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
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
