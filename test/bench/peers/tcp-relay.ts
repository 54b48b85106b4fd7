/**
 * A bare TCP relay before Redis: what any program in Node that stands between client and server costs. One connection to
 * Redis for each client, bytes passed on as they come, no delay.
 *
 * Arguments (JSON): { port } of Redis. Says the port it listens on.
 */
import { type AddressInfo, connect, createServer } from 'node:net';
import { sayReady, startedWith } from '../asked.ts';

const { port } = startedWith<{ readonly port: number }>();

const server = createServer({ noDelay: true }, (client) => {
  const upstream = connect({ port, host: '127.0.0.1', noDelay: true });
  client.pipe(upstream);
  upstream.pipe(client);
  client.on('error', () => upstream.destroy());
  upstream.on('error', () => client.destroy());
});
server.listen(0, '127.0.0.1', () => sayReady(String((server.address() as AddressInfo).port)));
