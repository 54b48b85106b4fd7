import { type Limits, PlatformError } from '#functions';
import type { RuntimeErrorCode } from '../errors.ts';
import type { FailureKind, GuestError } from '../invocation.ts';
import { hostError } from '../sandbox/error-transfer.ts';
import type { SandboxDeath } from '../sandbox/sandbox.ts';

/** Why an entry failed, before it is known which entries. */
export interface Failure {
  readonly kind: FailureKind;
  readonly error: GuestError;
}

/** Code with which the child says that the isolate went down with somebody else. */
const ISOLATE_LOST = 'ISOLATE_LOST';
/** Code with which the guest says that an execution before this one failed (`Invocation.stopAtFailure`). */
const NOT_STARTED = 'NOT_STARTED';

const DEATH_CODES: Readonly<Record<SandboxDeath['cause'], RuntimeErrorCode>> = {
  'call-time': 'LIMIT_CALL_TIME',
  memory: 'LIMIT_MEMORY',
  protocol: 'SANDBOX_PROTOCOL',
  unresponsive: 'SANDBOX_DIED',
  exit: 'SANDBOX_DIED',
  outside: 'SANDBOX_DIED',
  closed: 'RUNTIME_CLOSED',
};

/** What a guest's own report amounts to. */
export function guestFailure(error: GuestError): Failure {
  if (error.code === ISOLATE_LOST) {
    const message = 'the isolate was lost through another event while this one waited';
    return { kind: 'interrupted', error: { ...error, code: 'SANDBOX_DIED', message } };
  }
  if (error.code === NOT_STARTED) return { kind: 'interrupted', error };
  return { kind: error.code.startsWith('LIMIT_') ? 'limit' : 'guest', error };
}

/** The process died while this execution was running. */
export function crashed(death: SandboxDeath): Failure {
  return { kind: 'crash', error: hostError(DEATH_CODES[death.cause], death.message) };
}

/** The process died over something else. */
export function bystander(death: SandboxDeath): Failure {
  const code: RuntimeErrorCode = death.cause === 'closed' ? 'RUNTIME_CLOSED' : 'SANDBOX_DIED';
  return { kind: 'interrupted', error: hostError(code, `${death.message} (not this event's fault)`) };
}

/** Redis did not answer, or the connection broke under way. */
export function redisLost(reason: unknown): Failure {
  const { code, message } = PlatformError.from(reason, 'REDIS_LINK_LOST');
  return { kind: 'interrupted', error: hostError(code, message) };
}

export function aborted(signal: AbortSignal): Failure {
  const reason: unknown = signal.reason;
  const why = reason instanceof Error ? reason.message : 'the invocation was aborted';
  return { kind: 'interrupted', error: hostError('RUNTIME_CLOSED', why) };
}

/** @param waitsForRedis true: the node itself holds commands of the entry that Redis has not answered. */
export function executionTime(limits: Limits, waitsForRedis: boolean): Failure {
  const limit = `${limits.executionMs} ms (limit-execution-ms)`;
  const message = waitsForRedis
    ? `Redis has not answered the event's commands within ${limit}`
    : `the execution did not end within ${limit}`;
  return { kind: waitsForRedis ? 'interrupted' : 'limit', error: hostError('LIMIT_EXECUTION_TIME', message) };
}

export function tooManyAtOnce(limits: Limits): Failure {
  const message = `${limits.concurrency} executions of this version run already (limit-concurrency)`;
  return { kind: 'limit', error: hostError('LIMIT_CONCURRENCY', message) };
}

/** The version could not be brought into a sandbox, or the sandbox gave way for a reason of the runtime's own. */
export function unavailable(reason: unknown, key: string): Failure {
  const error = PlatformError.from(reason, 'SANDBOX_DIED');
  const failure = hostError(error.code, error.message);
  if (error.code === 'SANDBOX_QUARANTINED') return { kind: 'limit', error: failure };
  const culprit = error.code === 'SANDBOX_DIED' && error.details.blamed === key;
  return { kind: culprit ? 'crash' : 'interrupted', error: failure };
}
