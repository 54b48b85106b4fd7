import { execFile } from 'node:child_process';

/** A server program on the PATH. */
export interface ServerProgram {
  readonly command: string;
  readonly version: string;
}

/** Programs that can be the embedded server, the preferred one first. */
export const SERVER_COMMANDS = ['redis-server', 'valkey-server'] as const;
export const LEAST_MAJOR_VERSION = 7;

/** What to install, by package manager; the sentence for people whose machine has none of them ends the list. */
export const INSTALL_HINT =
  'install one (Debian, Ubuntu: apt-get install redis-server; Alpine: apk add redis; Fedora: dnf install valkey; macOS: brew install redis)';

/** Programs found, usable or not, in the order of `SERVER_COMMANDS`. */
export async function findServers(): Promise<readonly ServerProgram[]> {
  const found = await Promise.all(SERVER_COMMANDS.map(askVersion));
  return found.filter((program) => program !== null);
}

export function isUsable(program: ServerProgram): boolean {
  return Number.parseInt(program.version, 10) >= LEAST_MAJOR_VERSION;
}

/** A sentence for the case that none of `found` is usable. */
export function missingServerText(found: readonly ServerProgram[]): string {
  const wanted = `${SERVER_COMMANDS.join(' or ')} ${LEAST_MAJOR_VERSION} or newer`;
  const seen = found.map(({ command, version }) => `${command} ${version}`).join(' and ');
  return `${seen === '' ? `There is no ${wanted} on the PATH` : `${seen} is too old, ${wanted} is needed`}; ${INSTALL_HINT}`;
}

/** `Redis server v=7.0.15 sha=…` or `Valkey server v=8.0.1 sha=…`; null when there is no such program. */
function askVersion(command: string): Promise<ServerProgram | null> {
  return new Promise((resolve) => {
    execFile(command, ['--version'], { timeout: 5_000 }, (_error, stdout) => {
      const version = /\bv=(\d+\.\d+\.\d+)/.exec(String(stdout))?.[1];
      resolve(version === undefined ? null : { command, version });
    });
  });
}
