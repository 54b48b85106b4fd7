import type { IncomingHttpHeaders } from 'node:http';
import { PlatformError } from '#functions';
import type { SchedulerErrorCode } from '../../errors.ts';
import { includes, type Role } from '../../tokens/role.ts';
import type { TokenChecks, Tokens } from '../../tokens/tokens.ts';
import type { Caller } from './route.ts';

export interface Authentication extends Identification {
  /** The same for what has to be answered while Redis is away: by tokens as they were last read. REDIS_UNREACHABLE when none ever were. */
  readonly lasting: Identification;
}

export interface Identification {
  /** True while nobody has to show a token: there is none, and the door listens on loopback. */
  isOpen(): Promise<boolean>;
  /** Who asks. UNAUTHENTICATED. */
  identify(headers: IncomingHttpHeaders): Promise<Caller>;
}

const EVERYBODY: Caller = { role: 'admin', name: null, tokenId: null };
const SCHEME = /^Bearer +([\x21-\x7e]+)$/i;

/** @param isLoopback whether only this machine can reach the door. */
export function createAuthentication(
  tokens: Pick<Tokens, 'areThere' | 'verify' | 'lasting'>,
  isLoopback: boolean,
): Authentication {
  return { ...identificationBy(tokens, isLoopback), lasting: identificationBy(tokens.lasting, isLoopback) };
}

function identificationBy(tokens: TokenChecks, isLoopback: boolean): Identification {
  const isOpen = async (): Promise<boolean> => isLoopback && !(await tokens.areThere());
  return {
    isOpen,
    async identify({ authorization }) {
      if (authorization === undefined) {
        if (await isOpen()) return EVERYBODY;
        throw unauthenticated('this needs a token: send "Authorization: Bearer …"; `regears token create` makes one');
      }
      const secret = SCHEME.exec(authorization)?.[1];
      const token = secret === undefined ? null : await tokens.verify(secret);
      if (token !== null) return { role: token.role, name: token.name, tokenId: token.id };
      throw unauthenticated('the token is unknown, revoked or expired; `regears token list` shows those that are good');
    },
  };
}

/** PERMISSION_DENIED unless the caller's role contains `least`. */
export function checkRole(caller: Caller, least: Role): void {
  if (includes(caller.role, least)) return;
  throw new PlatformError<SchedulerErrorCode>(
    'PERMISSION_DENIED',
    `token "${caller.name ?? ''}" has role ${caller.role}; this needs role ${least}`,
    { details: { role: caller.role, needs: least } },
  );
}

function unauthenticated(message: string): PlatformError<SchedulerErrorCode> {
  return new PlatformError('UNAUTHENTICATED', message);
}
