import type { FunctionLogLine } from './journal.ts';

export type NewLogLine = Omit<FunctionLogLine, 'id'>;

/** Log lines that wait for the next flush. Memory is bounded: what comes too fast is dropped, and the log says how much. */
export interface LogBuffer {
  add(line: NewLogLine): void;
  /** At most `count` lines, oldest first; undefined = none. */
  take(count: number): readonly NewLogLine[] | undefined;
}

export interface LogBufferLimits {
  readonly lines: number;
  readonly bytes: number;
  /** Characters of one message. */
  readonly messageLength: number;
}

export const DEFAULT_LOG_BUFFER: LogBufferLimits = { lines: 10_000, bytes: 8 * 1024 * 1024, messageLength: 32_768 };

export function createLogBuffer(limits: LogBufferLimits = DEFAULT_LOG_BUFFER): LogBuffer {
  let lines: NewLogLine[] = [];
  let size = 0;
  const dropped = new Map<string, { readonly line: NewLogLine; count: number }>();

  function drop(line: NewLogLine): void {
    const entry = dropped.get(line.functionName);
    if (entry) entry.count++;
    else dropped.set(line.functionName, { line, count: 1 });
  }

  return {
    add(line) {
      const message = shorten(line.message, limits.messageLength);
      if (lines.length >= limits.lines || size + message.length > limits.bytes) {
        drop(line);
        return;
      }
      size += message.length;
      lines.push({ ...line, message });
    },
    take(count) {
      if (lines.length === 0 && dropped.size === 0) return undefined;
      const taken = lines.slice(0, count);
      lines = lines.slice(count);
      size = lines.reduce((sum, line) => sum + line.message.length, 0);
      if (lines.length > 0) return taken;
      for (const { line, count: lost } of dropped.values()) {
        taken.push({
          ...line,
          level: 'warning',
          message: `${lost} log lines dropped: they came faster than they can be kept`,
        });
      }
      dropped.clear();
      return taken;
    },
  };
}

function shorten(message: string, length: number): string {
  if (message.length <= length) return message;
  return `${message.slice(0, length)} … (${message.length - length} more characters)`;
}
