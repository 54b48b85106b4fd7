import type {
  GuestErrorReport,
  IsolateUsage,
  LoadedReport,
  LogLine,
  ProgressNotes,
  SessionRequest,
  StageNews,
} from './messages.ts';
import { ProtocolError } from './protocol-error.ts';

const LEVELS: readonly string[] = ['debug', 'verbose', 'notice', 'warning'];
const SESSION_OPS: readonly string[] = ['open', 'command', 'commit', 'discard', 'next', 'ask'];

type Shape = Readonly<Record<string, unknown>>;

function parse(body: Buffer, what: string): Shape {
  let value: unknown;
  try {
    value = JSON.parse(body.toString('utf8'));
  } catch {
    throw new ProtocolError(`${what} is not JSON.`);
  }
  return shapeOf(value, what);
}

function shapeOf(value: unknown, what: string): Shape {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new ProtocolError(`${what} is not an object.`);
  }
  return value as Shape;
}

function listOf<T>(value: unknown, what: string, read: (item: Shape) => T): T[] {
  if (!Array.isArray(value)) throw new ProtocolError(`${what} is not a list.`);
  return value.map((item) => read(shapeOf(item, what)));
}

function text(shape: Shape, field: string): string {
  const value = shape[field];
  if (typeof value !== 'string') throw new ProtocolError(`${field} is not a text.`);
  return value;
}

function count(shape: Shape, field: string): number {
  const value = shape[field];
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 0 || value > 0xffff_ffff) {
    throw new ProtocolError(`${field} is not a count.`);
  }
  return value;
}

function oneOf<T extends string>(shape: Shape, field: string, allowed: readonly string[]): T {
  const value = text(shape, field);
  if (!allowed.includes(value)) throw new ProtocolError(`${field} is none of ${allowed.join(', ')}.`);
  return value as T;
}

function readLog(shape: Shape): LogLine {
  const line: LogLine = { level: oneOf(shape, 'level', LEVELS), message: text(shape, 'message') };
  return shape.entry === undefined ? line : { ...line, entry: count(shape, 'entry') };
}

function readError(shape: Shape): GuestErrorReport {
  return {
    code: text(shape, 'code'),
    name: text(shape, 'name'),
    message: text(shape, 'message'),
    stack: text(shape, 'stack'),
  };
}

function readSession(shape: Shape): SessionRequest {
  return {
    session: count(shape, 'session'),
    entry: count(shape, 'entry'),
    op: oneOf(shape, 'op', SESSION_OPS),
    command: text(shape, 'command'),
  };
}

function readFailed(shape: Shape): { readonly index: number; readonly error: GuestErrorReport } {
  return { index: count(shape, 'index'), error: readError(shapeOf(shape.error, 'error')) };
}

function readStage(shape: Shape): StageNews {
  const { enough, over, errors, times } = shape;
  if (typeof enough !== 'boolean' || typeof over !== 'boolean') throw new ProtocolError('A stage without its state.');
  const isTimes = Array.isArray(times) && times.every((time) => Number.isFinite(time));
  if (times !== undefined && !isTimes) throw new ProtocolError('times is not a list of numbers.');
  return {
    enough,
    over,
    ...(errors === undefined ? {} : { errors: listOf(errors, 'errors', readFailed) }),
    ...(isTimes ? { times: times as number[] } : {}),
  };
}

/** The body of a `loaded` frame, checked but for what is inside `registrations`. Throws ProtocolError. */
export function readLoaded(body: Buffer): LoadedReport {
  const shape = parse(body, 'A load report');
  if (!Array.isArray(shape.registrations)) throw new ProtocolError('registrations is not a list.');
  if (!Array.isArray(shape.runs)) throw new ProtocolError('runs is not a list.');
  const { registrations, runs, configuration = null } = shape;
  return { registrations, runs, configuration, logs: listOf(shape.logs, 'logs', readLog) };
}

/** The body of a `loadFailed` frame. Throws ProtocolError. */
export function readErrorReport(body: Buffer): GuestErrorReport {
  return readError(parse(body, 'An error report'));
}

function amount(shape: Shape, field: string): number {
  const value = shape[field];
  if (typeof value !== 'number' || !(value >= 0)) throw new ProtocolError(`${field} is not an amount.`);
  return value;
}

function readIsolateUsage(shape: Shape): IsolateUsage {
  return {
    handle: count(shape, 'handle'),
    heapBytes: amount(shape, 'heapBytes'),
    externalBytes: amount(shape, 'externalBytes'),
    cpuMs: amount(shape, 'cpuMs'),
    batches: amount(shape, 'batches'),
    entries: amount(shape, 'entries'),
  };
}

/** The body of the answer to `usage`. Throws ProtocolError. */
export function readUsage(body: Buffer): readonly IsolateUsage[] {
  return listOf(parse(body, 'A usage').usages, 'usages', readIsolateUsage);
}

/** The notes of a `progress` frame. Throws ProtocolError. */
export function readNotes(body: Buffer): ProgressNotes {
  const shape = parse(body, 'The notes of a progress');
  return {
    ...(shape.failed === undefined
      ? {}
      : {
          failed: listOf(shape.failed, 'failed', readFailed),
        }),
    ...(shape.logs === undefined ? {} : { logs: listOf(shape.logs, 'logs', readLog) }),
    ...(shape.stage === undefined ? {} : { stage: readStage(shapeOf(shape.stage, 'stage')) }),
    ...(shape.sessions === undefined ? {} : { sessions: listOf(shape.sessions, 'sessions', readSession) }),
  };
}
