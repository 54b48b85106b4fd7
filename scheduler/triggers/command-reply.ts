import { encodeError, formatDuration, latin1FromUtf8, PlatformError, type RateLimit, utf8FromLatin1 } from '#functions';
import type { GuestError } from '#runtime';
import type { SchedulerErrorCode } from '../errors.ts';

/** Error replies of `RG.TRIGGER`: one line, no stack, texts of RedisGears where it has one. */

const FIRST_FRAME = /^\s*at .*?\(?([^\s()]+:\d+:\d+)\)?\s*$/m;

/** `-ERR [CODE] TypeError: what happened (file:line:column)`. */
export function guestErrorReply({ code, name, message, stack }: GuestError): string {
  // What flatError was given is the whole reply.
  if (name === '' && code === 'GUEST_ERROR') return errorLine(message);
  const what = name === '' || name === 'PlatformError' || name === code ? message : `${name}: ${message}`;
  const where = FIRST_FRAME.exec(stack)?.[1];
  return errorLine(`ERR [${code}] ${what}${where === undefined || what.includes(where) ? '' : ` (${where})`}`);
}

export function thrownReply(reason: unknown): string {
  if (!(reason instanceof PlatformError)) return errorLine('ERR [INTERNAL] the platform failed, see its log');
  return errorLine(`ERR [${reason.code}] ${reason.message}`);
}

/** No results: what a call hears that a filter refused. */
export const FILTERED_REPLY = '*0\r\n';

export const NOT_FOUND_REPLY = '-ERR subcommand not found\r\n';

export const DRAINING_REPLY = '-ERR [NODE_DRAINING] this node is stopping, ask another one\r\n';

export const INTERRUPTED_REPLY =
  '-ERR [SANDBOX_DIED] interrupted: the command may have run in part, and was not repeated\r\n';

export const ABORTED_REPLY =
  '-ERR [EXECUTION_ABORTED] the call was aborted: its registration is removed with ABORTPENDING; it may have run in part\r\n';

export function fullReply(registrationId: string, most: number): string {
  return errorLine(
    `ERR [LIMIT_CONCURRENCY] ${most} calls of ${registrationId} are waiting or running, see setting max-in-flight; try again`,
  );
}

export const LAPSED_REPLY =
  '-ERR [SLOT_LOST] this node could not show that it lives, and gave the call up with its permit; it may have run in part\r\n';

export function crowdedReply(registrationId: string, most: number, waitMs: number): string {
  const message = `${registrationId} runs ${most} ${most === 1 ? 'call' : 'calls'} at once in the whole fleet, and the call did not get its turn within ${formatDuration(waitMs)}; try again`;
  return thrownReply(new PlatformError<SchedulerErrorCode>('CONCURRENCY_LIMITED', message));
}

export function limitedReply(registrationId: string, { count, perMs }: RateLimit, waitMs: number): string {
  const rate = `${count} calls per ${formatDuration(perMs)}`;
  const message = `${registrationId} takes ${rate} in the whole fleet; retry after ${waitMs} ms`;
  return thrownReply(new PlatformError<SchedulerErrorCode>('RATE_LIMITED', message));
}

/** Why a function that has not got its secrets stands still on a node; the reconciler says so. */
const WITHOUT_SECRET = /^(SECRET_[A-Z]+): (.*)$/s;

export function stoppedReply(registrationId: string, state: string, reason: string | null): string {
  const [, code, why = ''] = WITHOUT_SECRET.exec(reason ?? '') ?? [];
  if (code !== undefined) return thrownReply(new PlatformError(code, why));
  const message = `registration ${registrationId} is ${state}${reason === null ? '' : `: ${reason}`}`;
  return thrownReply(new PlatformError<SchedulerErrorCode>('REGISTRATION_STOPPED', message));
}

function errorLine(text: string): string {
  return encodeError(latin1FromUtf8(text));
}

/** What kept the caller of a reply that is an error from results; null when there are results. Reads what is written above. */
export function callFailure(reply: string): PlatformError | null {
  if (!reply.startsWith('-')) return null;
  if (reply === NOT_FOUND_REPLY) {
    return new PlatformError<SchedulerErrorCode>(
      'TRIGGER_NOT_FOUND',
      'no registration in force answers to this trigger',
    );
  }
  const line = utf8FromLatin1(reply.slice(1, -2));
  const [, code = 'CALL_FAILED', message = line] = /^ERR \[([A-Z_]+)\] (.*)$/.exec(line) ?? [];
  return new PlatformError(code, message, code.startsWith('GUEST_') ? { details: { function: true } } : {});
}

/** Codes of replies that say that nothing has run. */
export const NOT_RUN_CODES: ReadonlySet<string> = new Set([
  'TRIGGER_NOT_FOUND',
  'NODE_DRAINING',
  'REGISTRATION_STOPPED',
  'SECRET_MISSING',
  'SECRET_UNREADABLE',
  'RATE_LIMITED',
  'LIMIT_CONCURRENCY',
  'CONCURRENCY_LIMITED',
  'REDIS_LINK_LOST',
  'RUNTIME_CLOSED',
]);
