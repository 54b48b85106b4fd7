import { originalPositionFor, TraceMap } from '@jridgewell/trace-mapping';
import type { Artifact } from '#functions';
import type { GuestError } from '../invocation.ts';
import type { GuestErrorReport } from './messages.ts';

export interface ErrorTransferOptions {
  readonly artifact: Artifact;
  /** Name under which the isolate compiled `artifact.code`: what stack lines carry before mapping. */
  readonly fileName: string;
  /** What the author knows the source as where there is no source map. */
  readonly sourceName: string;
}

const MAX_MESSAGE_CHARS = 8_192;
const MAX_STACK_CHARS = 16_384;
const MAX_STACK_LINES = 50;
const MAX_NAME_CHARS = 128;
const CODE = /^[A-Z][A-Z0-9_]{2,63}$/;

/** Codes a sandbox may report; anything else it says is an error of the function. */
const REPORTABLE: ReadonlySet<string> = new Set([
  'GUEST_ERROR',
  'GUEST_SYNTAX',
  'GUEST_ARGUMENT',
  'LIMIT_MEMORY',
  'LIMIT_CALL_TIME',
  'LIMIT_EXECUTION_TIME',
  'LIMIT_OUTPUT',
  'LIMIT_COMMANDS',
  'LIMIT_WAITS',
  'COMMAND_FORBIDDEN',
  'ATOMIC_REFUSED',
  'REDIS_REPLY',
  'ISOLATE_LOST',
  'NOT_STARTED',
  'CROSS_SLOT',
]);

/** Turns what a sandbox says about an error into plain, bounded text with the author's own files and lines. */
export function createErrorTransfer(options: ErrorTransferOptions): (report: unknown) => GuestError {
  let map: TraceMap | null | undefined;
  const traceMap = (): TraceMap | null => {
    if (map === undefined) map = parseMap(options.artifact.sourceMap);
    return map;
  };
  // A batch often fails for one reason: the same stack is mapped once.
  let lastStack = '';
  let lastMapped = '';
  return (report) => {
    const { code, name, message, stack } = readReport(report);
    if (stack !== lastStack) {
      lastMapped = mapStack(stack, options, traceMap);
      lastStack = stack;
    }
    return {
      code: CODE.test(code) && REPORTABLE.has(code) ? code : 'GUEST_ERROR',
      // Without name and stack: flatError, whose text is to stay as it is.
      name: bounded(name, MAX_NAME_CHARS) || (stack === '' ? '' : 'Error'),
      message: bounded(mapLine(message, options, traceMap), MAX_MESSAGE_CHARS),
      stack: lastMapped,
    };
  };
}

/** An error made on the node's side of the wall. */
export function hostError(code: string, message: string): GuestError {
  return { code, name: 'PlatformError', message, stack: '' };
}

function readReport(report: unknown): GuestErrorReport {
  const fields: Partial<Record<keyof GuestErrorReport, unknown>> =
    typeof report === 'object' && report !== null ? report : {};
  const name = typeof fields.name === 'string' ? fields.name : 'Error';
  return { code: text(fields.code), name, message: text(fields.message), stack: text(fields.stack) };
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function bounded(value: string, limit: number): string {
  return value.length > limit ? `${value.slice(0, limit)} (${value.length - limit} more characters)` : value;
}

function parseMap(sourceMap: string | null): TraceMap | null {
  if (sourceMap === null) return null;
  try {
    return new TraceMap(sourceMap);
  } catch {
    // A map that cannot be read costs positions, not the error itself.
    return null;
  }
}

function mapStack(stack: string, options: ErrorTransferOptions, traceMap: () => TraceMap | null): string {
  const lines = bounded(stack, MAX_STACK_CHARS).split('\n', MAX_STACK_LINES);
  return lines.map((line) => mapLine(line, options, traceMap)).join('\n');
}

/** Replaces every `<fileName>:line:column` of a line with the position in the author's file. */
function mapLine(line: string, options: ErrorTransferOptions, traceMap: () => TraceMap | null): string {
  const { fileName, sourceName } = options;
  const first = line.indexOf(`${fileName}:`);
  if (first < 0) return line;
  const digits = /^:(\d{1,7})(?::(\d{1,7}))?/.exec(line.slice(first + fileName.length));
  const end = first + fileName.length + (digits?.[0].length ?? 0);
  const rest = mapLine(line.slice(end), options, traceMap);
  if (!digits) return line.slice(0, end) + rest;
  const lineNumber = Number(digits[1]);
  const column = digits[2] === undefined ? 1 : Number(digits[2]);
  const map = traceMap();
  const original = map && lineNumber > 0 ? originalPositionFor(map, { line: lineNumber, column: column - 1 }) : null;
  const shown =
    original?.source == null
      ? `${sourceName}${digits[0]}`
      : `${original.source}:${original.line}:${original.column + 1}`;
  return line.slice(0, first) + shown + rest;
}
