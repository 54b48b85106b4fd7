import { decodeReply, type ReplyValue as RespValue, utf8FromLatin1 } from '#functions';
import type { DeadLetter } from '../../delivery.ts';
import type { LetterFilter } from '../../journal/dead-letters.ts';
import type { OperationDependencies } from './dependencies.ts';
import type { Operation, ReplyValue } from './operation.ts';
import { readOptions } from './options.ts';
import { recordReply } from './records.ts';
import { argumentError, arityError } from './syntax-error.ts';

const COMMAND = 'rg.deadletters';
const DEFAULT_COUNT = 100;
const FILTERS = ['FUNCTION', 'REGISTRATION', 'ERROR', 'SINCE', 'UNTIL', 'ID'];
const FILTER_SYNTAX = '[FUNCTION <name>] [REGISTRATION <id>] [ERROR <text>] [SINCE <ms>] [UNTIL <ms>] [ID <id>]';
const CHANGES = new Set(['REDRIVE', 'DISCARD']);

/** `RG.DEADLETTERS`: entries that were given up on. */
export function createDeadLettersOperation({ deadLetters, log }: OperationDependencies): Operation {
  const runs: Readonly<Record<string, (args: readonly string[]) => Promise<ReplyValue>>> = {
    async LIST(args) {
      const options = readOptions(args, { flags: [], values: [...FILTERS, 'COUNT', 'AFTER'] });
      const count = options.number('COUNT', 1) ?? DEFAULT_COUNT;
      const letters = await deadLetters.list({ ...filterOf(options), count, after: options.text('AFTER') ?? null });
      return letters.map((letter) => recordReply(fieldsOf(letter)));
    },
    async SHOW([id, ...rest]) {
      if (id === undefined || rest.length > 0) throw arityError(`${COMMAND}|show`);
      const letter = await deadLetters.show(id);
      const { errorStack } = letter;
      return recordReply({ ...fieldsOf(letter), errorStack, fields: payloadFields(letter.payload) });
    },
    COUNT: (args) => deadLetters.count(filterOf(readOptions(args, { flags: [], values: FILTERS }))),
    async REDRIVE(args) {
      const options = readOptions(args, { flags: ['DRYRUN'], values: FILTERS });
      const result = await deadLetters.redrive(filterOf(options), { dryRun: options.has('DRYRUN') });
      if (result.redriven < result.matched) log.warn({ ...result }, 'not every dead letter could be redriven');
      return result.redriven;
    },
    DISCARD(args) {
      const options = readOptions(args, { flags: ['DRYRUN'], values: FILTERS });
      return deadLetters.discard(filterOf(options), { dryRun: options.has('DRYRUN') });
    },
  };
  return {
    name: 'RG.DEADLETTERS',
    summary: 'Lists, shows, counts, runs again or throws away entries that were given up on.',
    syntax: [
      `RG.DEADLETTERS LIST ${FILTER_SYNTAX} [AFTER <id>] [COUNT <n>]`,
      'RG.DEADLETTERS SHOW <id>',
      `RG.DEADLETTERS COUNT ${FILTER_SYNTAX}`,
      `RG.DEADLETTERS REDRIVE|DISCARD ${FILTER_SYNTAX} [DRYRUN]`,
    ],
    permission: ([sub = '']) => (CHANGES.has(sub.toUpperCase()) ? 'manage' : 'read'),
    subject: (args) => args,
    async run([sub, ...args]) {
      if (sub === undefined) throw arityError(COMMAND);
      const run = runs[sub.toUpperCase()];
      if (run === undefined) {
        throw argumentError(`unknown subcommand '${sub.slice(0, 100)}'. Try one of ${Object.keys(runs).join(', ')}.`);
      }
      return run(args);
    },
  };
}

function filterOf(options: ReturnType<typeof readOptions>): LetterFilter {
  const given: Record<string, string | number | undefined> = {
    functionName: options.text('FUNCTION'),
    registrationId: options.text('REGISTRATION'),
    error: options.text('ERROR'),
    sinceMs: options.number('SINCE', 0),
    untilMs: options.number('UNTIL', 0),
    id: options.text('ID'),
  };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
}

function fieldsOf(letter: DeadLetter & { readonly id: string }): Readonly<Record<string, ReplyValue>> {
  return {
    id: letter.id,
    registrationId: letter.registrationId,
    function: letter.functionName,
    version: letter.version,
    stream: utf8FromLatin1(letter.stream),
    entryId: letter.entryId,
    attempts: letter.attempts,
    reason: letter.reason,
    errorCode: letter.errorCode,
    errorMessage: letter.errorMessage,
    diedAtMs: letter.diedAtMs,
  };
}

/** Field names and values; empty when the entry had been trimmed away. */
function payloadFields(payload: string): ReplyValue {
  if (payload === '') return [];
  const decoded: RespValue = decodeReply(payload);
  return Array.isArray(decoded) ? decoded.map((value) => utf8FromLatin1(String(value))) : [];
}
