import type { Socket } from 'node:net';

/** What must happen before the requests that have come can go on. */
export type Wait = 'replies' | 'grant' | 'client reads' | 'upstream reads';

export interface RequestPumpOptions {
  readonly socket: Socket;
  readonly waits: Set<Wait>;
  /** Takes the next request. False: there is none, or it must wait. */
  readonly step: () => boolean;
  /** Sends what was passed on. */
  readonly flush: () => void;
  /** No client's reply is outstanding. */
  readonly isIdle: () => boolean;
}

/** Takes a client's requests one after another while nothing has to be waited for, and reads no more while something has. */
export class RequestPump {
  readonly #options: RequestPumpOptions;
  #isRunning = false;

  constructor(options: RequestPumpOptions) {
    this.#options = options;
  }

  /** False when it is running already: what has happened is seen by the one that runs. */
  run(): boolean {
    if (this.#isRunning) return false;
    this.#isRunning = true;
    const { socket, waits, step, flush } = this.#options;
    do {
      while (waits.size === 0 && socket.writable && step());
      flush();
    } while (this.#stoppedForNothing());
    this.#isRunning = false;
    if (waits.size > 0) socket.pause();
    else if (socket.isPaused()) socket.resume();
    return true;
  }

  /** True when what was waited for has been answered on the spot. */
  #stoppedForNothing(): boolean {
    const { waits, isIdle } = this.#options;
    return waits.has('replies') && isIdle() && waits.delete('replies');
  }
}
