import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/**
 * When a process was started, as text that is only compared: a pid alone may have been given to another process since.
 * Null when no process has this pid.
 */
export function startOf(pid: number): string | null {
  if (!isRunning(pid)) return null;
  // Linux: field 22 of stat, counted behind the command name, which may hold blanks and parentheses.
  const stat = textOf(`/proc/${pid}/stat`);
  if (stat !== null) return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? null;
  return askPs(pid, 'lstart=');
}

/** The command line of a process, '' when there is none or it cannot be read. */
export function commandLineOf(pid: number): string {
  return textOf(`/proc/${pid}/cmdline`)?.replaceAll('\0', ' ') ?? askPs(pid, 'command=') ?? '';
}

export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return textOf(`/proc/${pid}/stat`)?.includes(') Z ') !== true;
  } catch (error) {
    // EPERM: it runs, but as somebody else's.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function textOf(file: string): string | null {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    // No such process, or no /proc on this system.
    return null;
  }
}

function askPs(pid: number, format: string): string | null {
  try {
    return execFileSync('ps', ['-p', String(pid), '-o', format], { encoding: 'utf8' }).trim() || null;
  } catch {
    // ps ends with an error for an unknown pid.
    return null;
  }
}
