import { once } from 'node:events';
import { createServer } from 'node:net';

/** The port if nobody listens on it, else 0 (= pick a free one). */
export async function freeOrAny(host: string, port: number): Promise<number> {
  const server = createServer();
  try {
    server.listen(port, host);
    await once(server, 'listening');
    return port;
  } catch {
    return 0; // taken: the door will pick another one
  } finally {
    server.close();
  }
}
