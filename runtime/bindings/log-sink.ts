import type { GuestLogLevel, LogSink, LogSource } from './binding.ts';

/** The part of a pino logger that the runtime writes to. */
export interface RuntimeLog {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** One line of a guest on its way to whoever listens. */
export interface SourcedLine extends LogSource {
  readonly level: GuestLogLevel;
  readonly message: string;
}

export interface LogSinkOptions {
  readonly log: RuntimeLog;
  readonly onLine: (line: SourcedLine) => void;
  /** Longest message that is kept, characters. Default 16 KiB. */
  readonly messageChars?: number;
  /** Lines of one version per second; what comes beyond is counted and reported in one line. Default 1000. */
  readonly linesPerSecond?: number;
  readonly now?: () => number;
}

interface Window {
  readonly startedAtMs: number;
  lines: number;
  dropped: number;
}

const LEVELS = { debug: 'debug', verbose: 'debug', notice: 'info', warning: 'warn' } as const;
const WINDOW_MS = 1000;
const MAX_WINDOWS = 1000;

/** Writes guests' lines to the node's log and to the listeners; a function that logs in a loop drowns nobody else. */
export function createLogSink(options: LogSinkOptions): LogSink {
  const { log, onLine, messageChars = 16_384, linesPerSecond = 1000, now = Date.now } = options;
  const windows = new Map<string, Window>();

  const emit = (line: SourcedLine): void => {
    log[LEVELS[line.level]]({ function: line.functionName, version: line.version }, line.message);
    onLine(line);
  };
  const windowOf = (source: LogSource): Window => {
    const key = `${source.functionName}@${source.version}`;
    const known = windows.get(key);
    if (known && now() - known.startedAtMs < WINDOW_MS) return known;
    if (known && known.dropped > 0) {
      emit({ ...identity(source), level: 'warning', message: `${known.dropped} log lines were dropped: too many` });
    }
    if (windows.size >= MAX_WINDOWS) windows.clear();
    const fresh: Window = { startedAtMs: now(), lines: 0, dropped: 0 };
    windows.set(key, fresh);
    return fresh;
  };

  return {
    write(source, lines) {
      for (const line of lines) {
        const window = windowOf(source);
        window.lines += 1;
        if (window.lines > linesPerSecond) window.dropped += 1;
        else emit({ ...identity(source), level: levelOf(line.level), message: bounded(line.message, messageChars) });
      }
    },
  };
}

function identity(source: LogSource): LogSource {
  const { functionName, version, atLoad } = source;
  return atLoad === undefined ? { functionName, version } : { functionName, version, atLoad };
}

/** The sandbox is not trusted to name a level that exists. */
function levelOf(level: unknown): GuestLogLevel {
  return typeof level === 'string' && Object.hasOwn(LEVELS, level) ? (level as GuestLogLevel) : 'notice';
}

function bounded(message: unknown, limit: number): string {
  const text = String(message);
  return text.length > limit ? `${text.slice(0, limit)} (${text.length - limit} more characters)` : text;
}
