import { encodeCommand } from '#functions';
import type { CommandIntercept, Interception, Pass } from '../../triggers/interception.ts';
import type { Word } from './command-words.ts';
import type { ConnectionState } from './connection-state.ts';
import { argumentsOf, type Passage } from './passage.ts';
import type { RequestFramer } from './request-framer.ts';

export interface InterceptorOptions {
  readonly intercept: CommandIntercept;
  readonly state: ConnectionState;
  readonly passage: Pick<Passage, 'ask'>;
  /** True where Redis asks for a password. */
  readonly asksPassword: boolean;
}

/** An unfinished XADD longer than this goes ahead in parts. */
const PART_BYTES = 64 * 1024;
/** An intercepted request longer than this passes without being looked at. */
const MAX_KEPT_BYTES = 16 * 1024 * 1024;

/** Finds the commands of one client that hooks or registrations on keys are interested in. */
export class Interceptor {
  readonly #options: InterceptorOptions;

  constructor(options: InterceptorOptions) {
    this.#options = options;
  }

  /** What becomes of a complete request; null: it passes as any other. */
  find(framer: RequestFramer, word: Word): Interception | null {
    return this.#knows(framer, word) ? this.#options.intercept.find(argumentsOf(framer)) : null;
  }

  /** False while Redis itself would refuse or only queue the command. Known only when nothing is outstanding. */
  get mayRun(): boolean {
    const { state, asksPassword } = this.#options;
    if (state.inMulti || (state.subscribed && state.protocol === 2)) return false;
    return !asksPassword || state.authenticated;
  }

  run(interception: Interception, answer: (reply: string) => void): void {
    const pass: Pass = (args) =>
      new Promise((resolve) => {
        this.#options.passage.ask(encodeCommand(args), (reply) => resolve(this.#noted(args, reply)), args);
      });
    void interception.run(pass).then(answer);
  }

  /** True when what has come of an unfinished request may go to Redis before the rest. */
  mayGoAhead(framer: RequestFramer, word: Word): boolean {
    if (this.#knows(framer, word) && framer.pendingBytes < MAX_KEPT_BYTES) return false;
    return word === 'plain' || (word === 'xadd' && framer.pendingBytes > PART_BYTES);
  }

  #knows(framer: RequestFramer, word: Word): boolean {
    const { names } = this.#options.intercept;
    if (names.size === 0 || (word !== 'plain' && word !== 'xadd')) return false;
    const name = framer.isInline
      ? (argumentsOf(framer)[0] ?? '')
      : framer.bytes.toString('latin1', framer.nameStart, framer.nameEnd);
    return names.has(name.toLowerCase());
  }

  #noted(args: readonly string[], reply: string): string {
    if (args[0]?.toLowerCase() === 'xadd') this.#options.state.settle({ word: 'xadd', args }, reply);
    return reply;
  }
}
