import type { Logger } from 'pino';
import type { Permission } from '../operations/operation.ts';
import type { ConnectionState } from './connection-state.ts';
import type { OwnCommand, OwnCommands } from './own-commands.ts';
import type { Passage } from './passage.ts';
import type { Permissions } from './permissions.ts';
import { encodeErrorLine } from './reply-text.ts';

export interface GatekeeperOptions {
  readonly state: ConnectionState;
  readonly passage: Pick<Passage, 'ask'>;
  readonly permissions: Permissions;
  readonly own: OwnCommands;
  readonly log: Logger;
}

/** What becomes of a request of ours: it runs, gets an error, or must wait while `prepare` finds out. */
export type Verdict =
  | { readonly kind: 'run' }
  | { readonly kind: 'answer'; readonly reply: string }
  | { readonly kind: 'wait'; prepare(done: () => void): void };

const RUN: Verdict = { kind: 'run' };
const NO_AUTH = '-NOAUTH Authentication required.\r\n';
const WHO_AM_I = '*2\r\n$3\r\nACL\r\n$6\r\nWHOAMI\r\n';
const NOT_ASKED = encodeErrorLine('ERR [PERMISSION_DENIED] Redis could not be asked for your permissions, try again');

/**
 * Decides whether one client may run a command of ours. Who it is, is known from its AUTH or HELLO, else Redis is asked on the
 * client's own connection; what it may do, Redis's ACL says.
 */
export class Gatekeeper {
  readonly #options: GatekeeperOptions;
  /** What the next request is answered with, because a question has failed. */
  #refusal: string | null = null;

  constructor(options: GatekeeperOptions) {
    this.#options = options;
  }

  judge(command: OwnCommand): Verdict {
    const { state, permissions, own } = this.#options;
    if (state.subscribed && state.protocol === 2) return { kind: 'answer', reply: notWhileSubscribed(command) };
    const permission = own.permissionOf(command);
    if (permission === null) return RUN;
    if (this.#refusal !== null) {
      const reply = this.#refusal;
      this.#refusal = null;
      return { kind: 'answer', reply };
    }
    const { user } = state;
    if (user === null) return { kind: 'wait', prepare: (done) => this.#identify(done) };
    const allowed = permissions.known(user, permission);
    if (allowed === true) return RUN;
    if (allowed === false) return { kind: 'answer', reply: notAllowed(user, command) };
    return { kind: 'wait', prepare: (done) => void this.#check({ user, permission }).then(done) };
  }

  #identify(done: () => void): void {
    const { state, passage } = this.#options;
    passage.ask(WHO_AM_I, (reply) => {
      if (reply.startsWith('$')) state.user = reply.slice(reply.indexOf('\n') + 1, -2);
      // Whoever never authenticated and may not even ask is the default user.
      else if (reply.startsWith('-NOPERM')) state.user = 'default';
      else this.#refusal = reply.startsWith('-') ? reply : NO_AUTH;
      done();
    });
  }

  async #check({ user, permission }: { user: string; permission: Permission }): Promise<void> {
    const { permissions, log } = this.#options;
    try {
      await permissions.check(user, permission);
    } catch (error) {
      log.warn({ err: error, user, permission }, 'Redis could not be asked for a permission');
      this.#refusal = NOT_ASKED;
    }
  }
}

function nameOf(command: OwnCommand): string {
  return command.kind === 'operation' ? command.operation.name.toLowerCase() : 'rg.trigger';
}

function notAllowed(user: string, command: OwnCommand): string {
  const name = nameOf(command);
  return `-NOPERM User ${user.replaceAll(/[\r\n]/g, ' ')} has no permissions to run the '${name}' command\r\n`;
}

/** As Redis words it for its own commands. */
function notWhileSubscribed(command: OwnCommand): string {
  return encodeErrorLine(
    `ERR Can't execute '${nameOf(command)}': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this context`,
  );
}
