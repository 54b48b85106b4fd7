import { spawn } from 'node:child_process';

const OPENERS: Readonly<Partial<Record<NodeJS.Platform, readonly string[]>>> = {
  darwin: ['open'],
  win32: ['cmd', '/c', 'start', ''],
};

/** An opener that still runs has become the browser. */
const OPENED_MS = 2_000;

/** Opens an address in the browser of the desktop. Resolves with false where there is no program for it, or it finds no browser. */
export function openBrowser(url: string): Promise<boolean> {
  const [command = '', ...args] = OPENERS[process.platform] ?? ['xdg-open'];
  return new Promise((resolve) => {
    const opener = spawn(command, [...args, url], { stdio: 'ignore', detached: true });
    opener.once('error', () => resolve(false)).once('exit', (code) => resolve(code === 0));
    opener.unref();
    setTimeout(() => resolve(true), OPENED_MS).unref();
  });
}
