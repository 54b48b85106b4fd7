import type { LogLine } from '../sandbox/messages.ts';
import { argumentError, optionsOf } from './arguments.ts';
import type { Entry } from './batch.ts';
import { describeError, showValue } from './describe.ts';
import { createJsonWriter } from './json.ts';
import type { GuestLimits } from './limits.ts';
import { isArray, quote, slice, toLowerCase } from './primordials.ts';
import type { Settle } from './settle.ts';
import { includes, listed } from './suggest.ts';
import type { Turn } from './turn.ts';

type Level = LogLine['level'];

const LEVELS: readonly Level[] = ['debug', 'verbose', 'notice', 'warning'];
const MAX_LINE = 64 * 1024;
/** Lines of no event, such as those written while a source is loaded, bytes. */
const MAX_LOOSE_LOG = 256 * 1024;

export interface Logger {
  write(level: Level, message: string): void;
  /** Lines of no event (JSON, separated by commas); afterwards there are none. */
  takeLoose(): string;
  hasLoose(): boolean;
}

export interface LoggerOptions {
  readonly turn: Turn;
  readonly settle: Settle;
  readonly limits: GuestLimits;
}

function lineJson(level: Level, message: string): string {
  return `{"level":"${level}","message":${quote(message)}}`;
}

/** The same line with the entry that wrote it, which counts against no limit. */
function ofEntry(line: string, index: number): string {
  return `${slice(line, 0, line.length - 1)},"entry":${index}}`;
}

function overLimit(outputBytes: number): string {
  return lineJson('warning', `Log lines past the limit of ${outputBytes} bytes (limit-output) are left out.`);
}

/** Log lines go with the batch whose turn it is; past the limit of an execution's output one line says so. */
export function createLogger({ turn, settle, limits }: LoggerOptions): Logger {
  let loose = '';
  let looseLines = 0;

  function writeLoose(line: string): void {
    if (loose.length + line.length > MAX_LOOSE_LOG) return;
    loose += looseLines++ === 0 ? line : `,${line}`;
  }

  function writeFor({ batch, execution, index }: Entry, line: string): void {
    if (execution.output > limits.outputBytes) return;
    execution.output += line.length;
    const shown = ofEntry(execution.output > limits.outputBytes ? overLimit(limits.outputBytes) : line, index);
    batch.logsJson += batch.logsJson === '' ? shown : `,${shown}`;
    settle.touch(batch);
  }

  return {
    write(level, message) {
      const line = lineJson(level, message.length > MAX_LINE ? `${slice(message, 0, MAX_LINE)}…` : message);
      const { entry } = turn;
      if (entry === null) writeLoose(line);
      else writeFor(entry, line);
    },
    hasLoose: () => looseLines > 0,
    takeLoose() {
      const lines = loose;
      loose = '';
      looseLines = 0;
      return lines;
    },
  };
}

/** A value as console shows it: text as it is, errors with their stack, objects as JSON, however odd they are. */
export function showForLog(value: unknown): string {
  if (typeof value === 'string') return value;
  if (typeof value !== 'object' || value === null)
    return typeof value === 'bigint' ? `${value}n` : showPrimitive(value);
  try {
    if (value instanceof Error) {
      const { name, message, stack } = describeError(value);
      return stack === '' ? `${name}: ${message}` : stack;
    }
    return createJsonWriter({ left: MAX_LINE, limit: MAX_LINE }).write(value, null) ?? 'undefined';
  } catch {
    return isSafeArray(value) ? '[Array]' : '[Object]';
  }
}

function showPrimitive(value: unknown): string {
  return typeof value === 'function' || typeof value === 'symbol' ? `[${typeof value}]` : `${value as string}`;
}

function isSafeArray(value: unknown): boolean {
  try {
    return isArray(value);
  } catch {
    return false;
  }
}

/** `console`: debug, log and info, warn, error as the levels of Redis. */
export function createConsole(logger: Logger): object {
  const writer =
    (level: Level) =>
    (...values: unknown[]): void => {
      let message = '';
      for (let i = 0; i < values.length; i++) message += i === 0 ? showForLog(values[i]) : ` ${showForLog(values[i])}`;
      logger.write(level, message);
    };
  return {
    debug: writer('debug'),
    trace: writer('debug'),
    log: writer('notice'),
    info: writer('notice'),
    warn: writer('warning'),
    error: writer('warning'),
  };
}

function levelOf(option: unknown): Level {
  const given = typeof option === 'string' ? option : (optionsOf('log', option).level ?? 'notice');
  const level = typeof given === 'string' ? toLowerCase(given) : given;
  if (includes(LEVELS, level)) return level as Level;
  throw argumentError(`log: level must be one of ${listed(LEVELS)}, not ${showValue(given)}.`);
}

/** `log(message, { level })` or `log(message, level)`. */
export function createLog(logger: Logger): (message: unknown, option?: unknown) => void {
  return (message, option) => {
    if (typeof message !== 'string')
      throw argumentError(`log: the message must be a string, not ${showValue(message)}.`);
    logger.write(levelOf(option), message);
  };
}
