import { PlatformError } from '#functions';
import type { SchedulerErrorCode } from '../../errors.ts';

/** An error whose text clients of RedisGears know: it goes out exactly so, without `ERR`. */
export function referenceError(text: string): PlatformError<SchedulerErrorCode> {
  return new PlatformError('COMMAND_SYNTAX', text, { details: { isVerbatim: true } });
}

/** Too few or too many arguments, as Redis words it. `command` is lower case. */
export function arityError(command: string): PlatformError<SchedulerErrorCode> {
  return new PlatformError('COMMAND_SYNTAX', `wrong number of arguments for '${command}' command`);
}

/** A wrong argument; the message says which and what is allowed. */
export function argumentError(message: string): PlatformError<SchedulerErrorCode> {
  return new PlatformError('COMMAND_SYNTAX', message);
}
