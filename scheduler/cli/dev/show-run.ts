import { isReplyError, type ReplyValue, utf8FromLatin1 } from '#functions';
import { bytesText, jsonValue } from '../../gateway/operations/json-values.ts';
import type { TrialCommand } from '../../gateway/operations/trial-recorder.ts';
import type { Output, Style } from '../render.ts';
import { printable } from '../render.ts';
import { placeIn, showPlace, type VersionSource } from '../watch/source-place.ts';

/** An error of a function, its stack mapped to the author's files. */
export interface ShownError {
  readonly code: string;
  readonly name: string;
  readonly message: string;
  readonly stack: string;
}

const LEVELS: Readonly<Record<string, Style>> = { warning: 'warn', debug: 'faint', verbose: 'faint' };
const MOST_COMMANDS = 20;
const LONGEST = 200;
const STACK_LINES = 8;

/** A level in its colour. */
export function levelText(output: Output, level: string): string {
  return output.style(LEVELS[level] ?? 'good', level);
}

/** What went wrong, where in the source, and the rest of the way there. */
export function showError(output: Output, error: ShownError, source: VersionSource | null): void {
  const title = titleOf(error);
  output.line(`  ${output.style('bad', printable(title))}`);
  const place = source === null ? null : placeIn(error.stack, source);
  if (place !== null) showPlace(output, place, title);
  const frames = error.stack.split('\n').filter((line) => /^\s*at /.test(line));
  // The first one is shown with its line.
  for (const frame of frames.slice(place === null ? 0 : 1, STACK_LINES)) {
    output.line(`    ${output.style('faint', printable(frame.trim()))}`);
  }
}

export function titleOf({ code, name, message }: ShownError): string {
  // What a command of Redis answered begins with its code.
  if (message.startsWith(`${code} `)) return message;
  return code === 'GUEST_ERROR' && name !== '' ? `${name}: ${message}` : `${code}: ${message}`;
}

/** An error for programs: with the place in the source where it is known. */
export function errorFacts(error: ShownError, source: VersionSource | null): object {
  const { code, name, message, stack } = error;
  return { code, name, message, stack, place: source === null ? null : placeIn(stack, source) };
}

/** Commands with their replies, one a line. */
export function showCommands(output: Output, commands: readonly TrialCommand[], dropped: number): void {
  for (const { args, reply } of commands.slice(0, MOST_COMMANDS)) {
    const [name = '', ...rest] = args.map(word);
    const answer = isReplyError(reply) ? output.style('bad', replyText(reply)) : replyText(reply);
    output.line(
      `    ${output.style('name', name)} ${shortened(rest.join(' '))} ${output.style('faint', '→')} ${answer}`,
    );
  }
  const more = commands.length + dropped - MOST_COMMANDS;
  if (more > 0) output.line(`    ${output.style('faint', `… and ${more} more commands`)}`);
}

/** Commands for programs. */
export function commandFacts(commands: readonly TrialCommand[]): readonly object[] {
  return commands.map(({ args, reply }) => ({
    args: args.map(bytesText),
    reply: isReplyError(reply) ? null : jsonValue(reply),
    error: isReplyError(reply) ? utf8FromLatin1(reply.message) : null,
  }));
}

/** A reply or a result as people read it. */
export function replyText(reply: ReplyValue): string {
  if (isReplyError(reply)) return printable(utf8FromLatin1(reply.message));
  const value = jsonValue(reply);
  return shortened(typeof value === 'string' ? printable(value) : JSON.stringify(value));
}

function word(argument: string): string {
  const text = bytesText(argument);
  if (typeof text !== 'string') return `base64:${text.base64}`;
  return text === '' || /[\s'"]/.test(text) ? JSON.stringify(text) : printable(text);
}

function shortened(text: string): string {
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text;
}
