import type { GuestErrorReport } from '../sandbox/messages.ts';
import { NO_PROCESS } from './absent.ts';
import { codeOf, isFlat } from './errors.ts';
import { indexOf, isArray, quote, slice, toText } from './primordials.ts';

/** Name of the runtime's own script in stack traces; frames of it are of no use to an author. */
export const RUNTIME_FILE = 'regears:guest';

const MAX_NAME = 200;
const MAX_MESSAGE = 4_096;
const MAX_STACK = 16_384;

type Anything = Readonly<Record<string, unknown>>;

/** A property that is a string, whatever traps stand in the way; null when there is none. */
function textField(value: unknown, field: string, limit: number): string | null {
  try {
    const text = (value as Anything)[field];
    return typeof text === 'string' ? cut(text, limit) : null;
  } catch {
    return null;
  }
}

function cut(text: string, limit: number): string {
  return text.length > limit ? `${slice(text, 0, limit)}…` : text;
}

/** Takes the runtime's own frames out of a stack. */
export function userFrames(stack: string): string {
  let out = '';
  let at = 0;
  while (at < stack.length) {
    const newline = indexOf(stack, '\n', at);
    const end = newline < 0 ? stack.length : newline;
    const line = slice(stack, at, end);
    at = end + 1;
    if (indexOf(line, '(<isolated-vm boundary>)') >= 0) break;
    if (indexOf(line, RUNTIME_FILE) >= 0 || indexOf(line, 'at <anonymous>') >= 0) continue;
    out += out === '' ? line : `\n${line}`;
  }
  return out;
}

/** A thrown value in words, for values that are no errors. */
export function describeValue(value: unknown): string {
  if (typeof value === 'string') return cut(value, MAX_MESSAGE);
  if (typeof value === 'symbol') return 'a symbol';
  if (typeof value === 'function') return 'a function';
  if (value === null || typeof value !== 'object') return toText(value);
  try {
    return isArray(value) ? 'an array' : 'an object';
  } catch {
    return 'an object';
  }
}

/** The value of a wrong argument as an error message shows it: short and on one line. */
export function showValue(value: unknown): string {
  if (typeof value === 'string') return quote(cut(value, 60));
  return cut(describeValue(value), 60);
}

function advised(message: string | null): string | null {
  return message === 'process is not defined' ? `${message}: ${NO_PROCESS}` : message;
}

/** Whatever was thrown, as plain text. Never throws, runs user code only through getters and traps of the value. */
export function describeError(thrown: unknown): GuestErrorReport {
  if ((typeof thrown !== 'object' && typeof thrown !== 'function') || thrown === null) {
    return { code: 'GUEST_ERROR', name: 'Error', message: `The function threw ${showValue(thrown)}.`, stack: '' };
  }
  const message = advised(textField(thrown, 'message', MAX_MESSAGE));
  if (isFlat(thrown)) return { code: 'GUEST_ERROR', name: '', message: message ?? '', stack: '' };
  const name = textField(thrown, 'name', MAX_NAME) ?? 'Error';
  const stack = textField(thrown, 'stack', MAX_STACK) ?? '';
  return {
    code: codeOf(thrown) ?? 'GUEST_ERROR',
    name,
    message: message ?? `The function threw ${describeValue(thrown)}.`,
    stack: userFrames(stack),
  };
}

/** JSON of a report, made of quoted strings only. */
export function errorJson(report: GuestErrorReport): string {
  return `{"code":${quote(report.code)},"name":${quote(report.name)},"message":${quote(report.message)},"stack":${quote(report.stack)}}`;
}
