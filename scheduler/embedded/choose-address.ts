import { randomBytes } from 'node:crypto';
import { mkdtempSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ServerAddress } from './ask-server.ts';
import { SOCKET_FILE } from './server-record.ts';

/** Bytes that a socket's path may have everywhere (macOS allows 103, Linux 107), the temporary name of the server included. */
const LONGEST_SOCKET_PATH = 100;

export interface ChosenAddress {
  readonly address: ServerAddress;
  /** Private directory made for the socket, to be removed afterwards; null = none. */
  readonly socketDir: string | null;
}

/** Addresses to try, the best one first: a private socket in the directory, one elsewhere, a loopback port with a password. */
export function* addressesFor(dir: string): Generator<() => Promise<ChosenAddress>> {
  const path = join(dir, SOCKET_FILE);
  if (Buffer.byteLength(path) <= LONGEST_SOCKET_PATH) yield async () => socketAt(path, null);
  yield async () => {
    const socketDir = mkdtempSync(join(tmpdir(), 'regears-'));
    return socketAt(join(socketDir, SOCKET_FILE), socketDir);
  };
  yield portAddress;
}

/** Any local user can reach a port, so this address has a password. */
export async function portAddress(): Promise<ChosenAddress> {
  const password = randomBytes(24).toString('hex');
  return { address: { kind: 'port', port: await freePort(), password }, socketDir: null };
}

function socketAt(path: string, socketDir: string | null): ChosenAddress {
  return { address: { kind: 'socket', path }, socketDir };
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });
}
