import { connect, type Socket } from 'node:net';
import { replyEnd } from '../../../../functions/redis/resp/frame.ts';

/** A connection that shows bytes as they are (latin1). */
export interface RawClient extends Disposable {
  readonly socket: Socket;
  send(text: string | Buffer): void;
  /** The next `count` complete replies. Rejects when the connection ends before, or nothing has come for so long. */
  replies(count: number): Promise<string[]>;
  /** Resolves when the other side has closed; with everything that came and was not read as a reply. */
  closed(): Promise<string>;
  /** Everything that has come and was not read. */
  readonly unread: string;
}

const DEADLINE_MS = 30_000;

export async function rawClient(port: number): Promise<RawClient> {
  const socket = connect({ port, host: '127.0.0.1' });
  socket.setEncoding('latin1');
  socket.on('error', () => {});
  let text = '';
  /** What is before has been returned. */
  let from = 0;
  let hasEnded = false;
  let wake = (): void => {};
  socket.on('data', (chunk: string) => {
    text = text.slice(from) + chunk;
    from = 0;
    wake();
  });
  socket.on('close', () => {
    hasEnded = true;
    wake();
  });
  await new Promise((resolve) => socket.once('connect', resolve).once('close', resolve));
  const changed = (what: string): Promise<void> =>
    new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Error(`no ${what} in ${DEADLINE_MS} ms; unread: ${text.slice(from, from + 1_000)}`)),
        DEADLINE_MS,
      );
      wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  return {
    socket,
    get unread() {
      return text.slice(from);
    },
    send: (data) => void socket.write(typeof data === 'string' ? Buffer.from(data, 'latin1') : data),
    async replies(count) {
      const found: string[] = [];
      while (found.length < count) {
        const end = from === text.length ? -1 : replyEnd(text, from);
        if (end > 0) {
          found.push(text.slice(from, end));
          from = end;
        } else if (hasEnded) throw new Error(`the connection ended after ${found.length} replies: ${found.join('')}`);
        else await changed('reply');
      }
      return found;
    },
    async closed() {
      while (!hasEnded) await changed('end');
      return text.slice(from);
    },
    [Symbol.dispose]: () => void socket.destroy(),
  };
}

/** One command as RESP, arguments latin1. */
export function command(...args: readonly string[]): string {
  return `*${args.length}\r\n${args.map((arg) => `$${arg.length}\r\n${arg}\r\n`).join('')}`;
}
