import { readFile, writeFile } from 'node:fs/promises';
import { PlatformError } from '#functions';
import type { SentCommand } from '../delivery/delivery.ts';
import type { Reply } from '../values.ts';
import type { ReplyRules } from './reply-rules.ts';

/** A reply as JSON: bytes as `{ base64 }`, errors as `{ error }`. */
type Stored = string | number | null | { readonly base64: string } | { readonly error: string } | readonly Stored[];

interface StoredCommand {
  readonly command: readonly Stored[];
  readonly reply: Stored;
}

/** What is written into a recording: commands that were answered, in their order. */
export function encodeRecording(commands: readonly SentCommand[]): string {
  const lines = commands.flatMap(({ name, args, reply }) =>
    reply === undefined ? [] : [JSON.stringify({ command: [name, ...args.map(stored)], reply: stored(reply) })],
  );
  return `[\n${lines.map((line) => `  ${line}`).join(',\n')}\n]\n`;
}

/** Errors: ARGUMENT_INVALID with the path when it cannot be written. */
export async function writeRecording(path: string, commands: readonly SentCommand[]): Promise<void> {
  await writeFile(path, encodeRecording(commands)).catch((cause: unknown) => {
    throw new PlatformError('ARGUMENT_INVALID', `the recording "${path}" cannot be written: ${String(cause)}`, {
      cause,
    });
  });
}

/**
 * The replies that a file has recorded (`loadFunction({ record })`), for `loadFunction({ replies })`. The same command gets the replies
 * it had in their order; once more than it was recorded is an error that names it. Errors: ARGUMENT_INVALID for a file
 * that cannot be read or holds something else.
 * @example
 * await using rates = await loadFunction({ file: 'rates.ts', replies: await readRecording('rates.replies.json') });
 */
export async function readRecording(path: string): Promise<ReplyRules> {
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw new PlatformError('ARGUMENT_INVALID', `the recording "${path}" cannot be read: ${String(cause)}`, { cause });
  });
  const waiting = new Map<string, Reply[]>();
  for (const { command, reply } of parse(path, text)) {
    const known = waiting.get(keyOf(command)) ?? [];
    waiting.set(keyOf(command), [...known, restored(reply)]);
  }
  return (name, args) => waiting.get(keyOf([name, ...args.map(stored)]))?.shift();
}

function parse(path: string, text: string): readonly StoredCommand[] {
  try {
    const commands = JSON.parse(text) as readonly StoredCommand[];
    if (
      Array.isArray(commands) &&
      commands.every(({ command, reply }) => Array.isArray(command) && reply !== undefined)
    ) {
      return commands;
    }
  } catch {
    // Said below.
  }
  throw new PlatformError(
    'ARGUMENT_INVALID',
    `"${path}" is no recording: it must be a list of { "command": […], "reply": … }; record it again`,
  );
}

function keyOf(command: readonly Stored[]): string {
  return JSON.stringify(command);
}

function stored(reply: Reply): Stored {
  if (reply instanceof Uint8Array) return { base64: Buffer.from(reply).toString('base64') };
  if (reply instanceof Error) return { error: reply.message };
  if (reply === null || typeof reply !== 'object') return reply;
  return reply.map(stored);
}

function restored(value: Stored): Reply {
  if (value === null || typeof value !== 'object') return value;
  if ('base64' in value) return new Uint8Array(Buffer.from(value.base64, 'base64'));
  if ('error' in value) return new Error(value.error);
  return value.map(restored);
}
