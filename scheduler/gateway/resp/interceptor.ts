import { encodeCommand } from '#functions';
import type { CommandIntercept, Interception, Pass } from '../../triggers/interception.ts';
import type { Word } from './command-words.ts';
import type { ConnectionState } from './connection-state.ts';
import { argumentsOf, type Passage } from './passage.ts';
import type { RequestFramer } from './request-framer.ts';

export interface InterceptorOptions {
  readonly intercept: CommandIntercept;
  readonly state: ConnectionState;
  readonly passage: Pick<Passage, 'run'>;
  /** True where Redis asks for a password. */
  readonly asksPassword: boolean;
}

/** Finds the commands of one client that hooks or registrations on keys are interested in. */
export class Interceptor {
  readonly #options: InterceptorOptions;
  readonly #pass: Pass;

  constructor(options: InterceptorOptions) {
    this.#options = options;
    this.#pass = (args) => new Promise((resolve) => options.passage.run(encodeCommand(args), args, resolve));
  }

  /** True when the framer's request, complete or not, has a name that must be looked at. */
  knows(framer: RequestFramer, word: Word): boolean {
    const { names } = this.#options.intercept;
    if (names.size === 0 || (word !== 'plain' && word !== 'xadd')) return false;
    const name = framer.isInline
      ? (argumentsOf(framer)[0] ?? '')
      : framer.bytes.toString('latin1', framer.nameStart, framer.nameEnd);
    return names.has(name.toLowerCase());
  }

  /** What becomes of a complete request; null: it passes. Whether the client is in a transaction must be known by then. */
  find(framer: RequestFramer): Interception | null {
    return this.#options.intercept.find(argumentsOf(framer));
  }

  /** False while Redis itself would refuse or only queue the command. */
  get mayRun(): boolean {
    const { state, asksPassword } = this.#options;
    if (state.inMulti || (state.subscribed && state.protocol === 2)) return false;
    return !asksPassword || state.authenticated;
  }

  run(interception: Interception, answer: (reply: string) => void): void {
    void interception.run(this.#pass).then(answer);
  }
}
