import { PlatformError } from '#functions';
import type { SchedulerErrorCode } from '../errors.ts';

/** `ERR [FUNCTION_NOT_FOUND] there is no …`: an error of the platform. `NOPERM …`: one of Redis, or one that Redis knows too. */
const PLATFORM_ERROR = /^ERR \[([A-Z_]+)\] (.*)$/s;
const REDIS_ERROR = /^([A-Z][A-Z0-9_]+) (.*)$/s;
/** What a Redis says that is no door. */
const NO_DOOR = /^ERR unknown command '?RG\./i;

/** Texts that the door keeps as RedisGears had them, without a code. */
const REFERENCE_TEXTS: Readonly<Record<string, SchedulerErrorCode>> = {
  'execution plan does not exist': 'EXECUTION_NOT_FOUND',
  'execution does not exist': 'EXECUTION_NOT_FOUND',
  'execution is still running': 'EXECUTION_RUNNING',
  'can not drop a not yet finished execution, abort it first.': 'EXECUTION_RUNNING',
};

/** What to do about errors whose text, made for every door, does not say it. */
const ADVICE: Readonly<Record<string, string>> = {
  FUNCTION_NOT_FOUND: 'see: regears list',
  VERSION_NOT_FOUND: 'see: regears versions',
  REGISTRATION_NOT_FOUND: 'see: regears registrations',
  REGISTRATION_STOPPED: 'see: regears resume',
  EXECUTION_NOT_FOUND: 'see: regears executions',
  NOAUTH: 'give user and password: --url redis://user:password@host:port',
  WRONGPASS: 'give user and password: --url redis://user:password@host:port',
};

/**
 * What a command of the door failed with: an error reply keeps its code and is told what to do, everything else is a
 * connection that failed (DOOR_UNREACHABLE). `connectionError` is what the connection itself has reported last.
 */
export function doorError(error: unknown, address: string, connectionError: Error | undefined): PlatformError {
  const reason = error instanceof Error ? error : new Error(String(error));
  const refusal = [reason, connectionError].find((each) => each?.name === 'ReplyError')?.message;
  if (refusal === undefined) return unreachable(address, reason, (connectionError ?? reason).message);
  if (NO_DOOR.test(refusal)) return unreachable(address, reason, 'what answers is a Redis, not the door of a node');
  const [code, message] = codeOf(refusal);
  const advice = adviceOn(code, message);
  const text = advice === undefined ? message : `${message.replace(/\.$/, '')}; ${advice}`;
  return new PlatformError(code, text, { cause: reason });
}

function codeOf(refusal: string): readonly [code: string, message: string] {
  const known = REFERENCE_TEXTS[refusal];
  if (known !== undefined) return [known, refusal];
  const [, code = 'ERR', message = refusal] = PLATFORM_ERROR.exec(refusal) ?? REDIS_ERROR.exec(refusal) ?? [];
  return [code, message];
}

function adviceOn(code: string, message: string): string | undefined {
  const advice = ADVICE[code];
  if (code !== 'VERSION_NOT_FOUND') return advice;
  return `${advice} ${/function "([^"]+)"/.exec(message)?.[1] ?? '<function>'}`;
}

function unreachable(address: string, cause: Error, told: string): PlatformError {
  const why = /RESP type/.test(told) ? 'what listens there does not speak RESP' : told.replace(/\.$/, '');
  return new PlatformError<SchedulerErrorCode>(
    'DOOR_UNREACHABLE',
    `no connection to ${address}: ${why}. Is the platform running (regears start)? Another address: --url or REGEARS_URL`,
    { cause, retryable: true },
  );
}
