import type { Socket } from 'node:net';
import type { Logger } from 'pino';

export interface ClientOutputOptions {
  readonly socket: Socket;
  readonly maxBytes: number;
  readonly log: Logger;
}

/**
 * What goes to one client. Own replies of one tick leave in one write; a client that does not read is waited for, and cut
 * off when more than `maxBytes` lie waiting for it.
 */
export class ClientOutput {
  readonly #options: ClientOutputOptions;
  #gathered = '';
  /** Bytes of the calls in work: about as many are going to be answered at once. */
  #owed = 0;

  constructor(options: ClientOutputOptions) {
    this.#options = options;
  }

  /** True when so much lies waiting that no new work should begin for this client. */
  get isFull(): boolean {
    return this.#options.socket.writableLength > this.#options.maxBytes / 4;
  }

  /** True when the calls in work are so large that their answers alone could be as much. */
  get owesMuch(): boolean {
    return this.#owed > this.#options.maxBytes / 4;
  }

  /** The client has made a call of this size. Returns what is to be called with its answer. */
  owe(bytes: number, answer: (reply: string) => void): (reply: string) => void {
    this.#owed += bytes;
    return (reply) => {
      this.#owed -= bytes;
      answer(reply);
    };
  }

  gather(reply: string): void {
    this.#gathered += reply;
  }

  flush(): void {
    const text = this.#gathered;
    this.#gathered = '';
    if (text !== '') this.#write(text);
  }

  /** Writes behind what was gathered. False: the socket's buffers are full. */
  write(data: Buffer | string): boolean {
    this.flush();
    return this.#write(data);
  }

  #write(data: Buffer | string): boolean {
    const { socket, maxBytes, log } = this.#options;
    if (socket.destroyed || socket.writableEnded) return true;
    const hasRoom = typeof data === 'string' ? socket.write(data, 'latin1') : socket.write(data);
    if (!hasRoom && socket.writableLength > maxBytes) {
      const client = socket.remoteAddress;
      log.warn({ client, bytes: socket.writableLength }, 'closing a client that does not read its replies');
      socket.destroy();
    }
    return hasRoom;
  }
}
