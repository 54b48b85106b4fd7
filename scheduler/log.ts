import { type DestinationStream, type Logger, pino } from 'pino';
import type { Settings } from './settings.ts';

/** The platform's logger. Bind what a line is about with `log.child({ function, version, registration, stream, execution })`. */
export type Log = Logger;

/** Names of the fields that say what a log line is about; use these and no others for these things. */
export interface LogFields {
  /** Name of the function. */
  readonly function?: string;
  readonly version?: number;
  /** Registration id. */
  readonly registration?: string;
  /** Stream key. */
  readonly stream?: string;
  readonly execution?: string;
  readonly node?: string;
}

export interface LogOptions {
  readonly level: Settings['logLevel'];
  /** Bound to every line. */
  readonly node?: string;
  /** Where lines go; standard error when not given, so that standard output stays free for answers. */
  readonly destination?: DestinationStream;
}

/**
 * One JSON object per line, time as ISO text, level as a word, errors under `err` with code, message and stack. JSON also
 * on a terminal: what an operator sees is what a collector gets, and any pino viewer can make it pretty.
 */
export function createLog(options: LogOptions): Log {
  const settings = {
    level: options.level,
    base: options.node === undefined ? null : { node: options.node },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    errorKey: 'err',
  };
  return pino(settings, options.destination ?? pino.destination({ fd: 2, sync: true }));
}
