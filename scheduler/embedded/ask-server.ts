import { connect } from 'node:net';

/** Where the embedded server listens. */
export type ServerAddress =
  | { readonly kind: 'socket'; readonly path: string }
  | { readonly kind: 'port'; readonly port: number; readonly password: string };

/** URL of the address as `connectRedis` takes it. */
export function urlOf(address: ServerAddress): string {
  if (address.kind === 'socket') return `unix://${address.path.split('/').map(encodeURIComponent).join('/')}`;
  return `redis://:${encodeURIComponent(address.password)}@127.0.0.1:${address.port}`;
}

/** `ready`; `loading` its data; `silent`: nobody answers there. */
export type ServerState = 'ready' | 'loading' | 'silent';

/** Asks once, on a connection of its own. */
export function askState(address: ServerAddress, timeoutMs = 1_000): Promise<ServerState> {
  return new Promise((resolve) => {
    const socket = connect(
      address.kind === 'socket' ? { path: address.path } : { host: '127.0.0.1', port: address.port },
    );
    let text = '';
    const finish = (state: ServerState): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(state);
    };
    const timer = setTimeout(() => finish('silent'), timeoutMs);
    socket.on('error', () => finish('silent'));
    socket.on('close', () => finish('silent'));
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
      if (text.includes('+PONG\r\n')) finish('ready');
      else if (text.includes('-LOADING')) finish('loading');
    });
    if (address.kind === 'port') socket.write(`AUTH ${address.password}\r\n`);
    socket.write('PING\r\n');
  });
}
