import { createServer } from 'node:net';

const LOWEST = 12_000;
const HIGHEST = 31_000;

/**
 * A TCP port on loopback that was free a moment ago, below the range from which the system takes ports for outgoing
 * connections: a server that is killed finds its port free again.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = LOWEST + Math.floor(Math.random() * (HIGHEST - LOWEST));
    if (await isFree(port)) return port;
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => server.close(() => resolve(true)));
  });
}
