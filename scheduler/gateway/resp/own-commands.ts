import type { Logger } from 'pino';
import { encodeCommand, PlatformError, utf8FromLatin1 } from '#functions';
import type { CommandCalls } from '../../triggers/command-calls.ts';
import type { Operation, Permission } from '../operations/operation.ts';
import type { OperationTable } from '../operations/operation-table.ts';
import { errorReply } from './error-status.ts';
import { adviceOn } from './former-commands.ts';
import { argumentsOf } from './passage.ts';
import { encodeErrorLine, encodeReply } from './reply-text.ts';
import type { RequestFramer } from './request-framer.ts';

/** A request of ours, understood but not started. */
export type OwnCommand =
  | { readonly kind: 'call'; readonly name: string; readonly args: string }
  | { readonly kind: 'operation'; readonly operation: Operation; readonly args: readonly string[] }
  | { readonly kind: 'error'; readonly reply: string };

export interface OwnCommands {
  parse(framer: RequestFramer): OwnCommand;
  permissionOf(command: OwnCommand): Permission | null;
  /** `answer` is called exactly once, with latin1 RESP2 text or text of the client's protocol. */
  run(command: OwnCommand, caller: Caller, answer: (reply: string) => void): void;
}

export interface Caller {
  readonly user: string;
  readonly protocol: 2 | 3;
  readonly signal: AbortSignal;
}

export interface OwnCommandsOptions {
  readonly operations: OperationTable;
  readonly calls: CommandCalls;
  readonly log: Logger;
}

/** Longest names are `RG.CLEARREGISTRATIONSSTATS` and the like; both names below are compared in upper case. */
const TRIGGER = 'RG.TRIGGER';
const TRIGGER_ON_KEY = 'RG.TRIGGERONKEY';
/** More of a command's arguments says no more to who reads the log, characters. */
const MOST_SUBJECT = 200;

export function createOwnCommands({ operations, calls, log }: OwnCommandsOptions): OwnCommands {
  const parseOther = (name: string, args: readonly string[]): OwnCommand => {
    const operation = operations.find(name);
    if (operation === undefined) return { kind: 'error', reply: unknownCommand(name, args) };
    return { kind: 'operation', operation, args: args.map(utf8FromLatin1) };
  };
  return {
    parse(framer) {
      if (!framer.isInline) {
        const name = framer.bytes.toString('latin1', framer.nameStart, framer.nameEnd);
        const upper = name.toUpperCase();
        if (upper === TRIGGER || upper === TRIGGER_ON_KEY) return parseCall(framer, upper);
        return parseOther(name, argumentsOf(framer).slice(1));
      }
      const [name = '', ...args] = argumentsOf(framer);
      const upper = name.toUpperCase();
      if (upper !== TRIGGER && upper !== TRIGGER_ON_KEY) return parseOther(name, args);
      return hasArity(upper, args.length + 1)
        ? { kind: 'call', name: args[0] ?? '', args: encodeCommand(args) }
        : { kind: 'error', reply: wrongArity(upper) };
    },
    permissionOf(command) {
      if (command.kind === 'error') return null;
      return command.kind === 'call' ? 'invoke' : command.operation.permission(command.args);
    },
    run(command, caller, answer) {
      if (command.kind === 'error') answer(command.reply);
      else if (command.kind === 'call') calls.call(command.name, command.args, answer);
      else void runOperation(command, caller, log).then(answer);
    },
  };
}

/** The client's own bytes become the call: everything behind the command's name. */
function parseCall(framer: RequestFramer, upper: string): OwnCommand {
  if (!hasArity(upper, framer.count)) return { kind: 'error', reply: wrongArity(upper) };
  const text = framer.bytes.toString('latin1', framer.nameEnd + 2, framer.end);
  const nameStart = text.indexOf('\r\n') + 2;
  const name = text.slice(nameStart, nameStart + Number(text.slice(1, nameStart - 2)));
  return { kind: 'call', name, args: `*${framer.count - 1}\r\n${text}` };
}

async function runOperation(
  { operation, args }: Extract<OwnCommand, { kind: 'operation' }>,
  { user, protocol, signal }: Caller,
  log: Logger,
): Promise<string> {
  const command = { command: operation.name, subject: subjectOf(operation, args), user };
  try {
    const value = await operation.run(args, { user, signal });
    if (operation.permission(args) === 'manage') log.info(command, 'command done');
    return encodeReply(value, protocol);
  } catch (error) {
    if (isAnswer(error)) log.info({ ...command, code: error.code, reason: error.message }, 'command refused');
    else log.warn({ ...command, err: error }, 'command failed');
    return errorReply(error);
  }
}

/** One text, as people write commands. */
function subjectOf(operation: Operation, args: readonly string[]): string | undefined {
  const words = operation.subject?.(args) ?? [];
  return words.length === 0 ? undefined : words.join(' ').slice(0, MOST_SUBJECT);
}

/** An error that tells all there is to know, to the client who made the mistake; the log needs no stack of it. */
function isAnswer(error: unknown): error is PlatformError {
  return error instanceof PlatformError && !error.retryable && error.cause === undefined;
}

function hasArity(upper: string, count: number): boolean {
  return count >= (upper === TRIGGER_ON_KEY ? 3 : 2);
}

function wrongArity(upper: string): string {
  return encodeErrorLine(`ERR wrong number of arguments for '${upper.toLowerCase()}' command`);
}

/** As Redis words it. */
function unknownCommand(name: string, args: readonly string[]): string {
  const advice = adviceOn(name);
  if (advice !== undefined) return `-ERR unknown command '${name}': ${advice}\r\n`;
  const shown = args.map((arg) => `'${arg.slice(0, 128)}' `).join('');
  const line = `ERR unknown command '${name.slice(0, 128)}', with args beginning with: ${shown.slice(0, 128)}`;
  return `-${line.replaceAll(/[\r\n]+/g, ' ')}\r\n`;
}

/** What a command of ours hears inside MULTI: the words of RedisGears where it had some. */
export function refusalInMulti(command: OwnCommand): string {
  if (command.kind === 'call') {
    return 'ERR can not run a non-sync execution inside a MULTI/LUA (blocking is not allowed) or on loading.';
  }
  if (command.kind === 'error') return command.reply.slice(1, -2);
  const { name } = command.operation;
  if (name === 'RG.JSEXECUTE') {
    return 'Can not run gears inside a multi exec, lua, or when blocking is not allowed';
  }
  return `ERR ${name} is answered by the platform, not by Redis, and can not be called inside MULTI`;
}
