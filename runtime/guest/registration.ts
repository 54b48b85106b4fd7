import {
  argumentError,
  createOptionReader,
  type OptionReader,
  type Options,
  optionsOf,
  refuseUnknown,
} from './arguments.ts';
import {
  type CapturedTrigger,
  LIST_ARGUMENTS,
  listTrigger,
  PUBSUB_ARGUMENTS,
  pubSubTrigger,
  SCHEDULE_ARGUMENTS,
  scheduleTrigger,
} from './captured-registration.ts';
import { showValue } from './describe.ts';
import { FLOW_ARGUMENTS, type FlowArguments, flowArguments } from './flow-arguments.ts';
import {
  HOOK_ARGUMENTS,
  type HookTrigger,
  hookTrigger,
  KEYS_ARGUMENTS,
  type KeysTrigger,
  keysTrigger,
} from './keys-registration.ts';
import { charCodeAt, dateGetTime, isSafeInteger } from './primordials.ts';

const MODES = ['sync', 'async', 'async_local'] as const;
const POLICIES = ['continue', 'abort', 'retry'] as const;
const COMMON = ['mode', 'convertToStr', 'collect', 'onRegistered', 'description', 'id', ...FLOW_ARGUMENTS] as const;
const STREAM_ARGUMENTS = [
  'prefix',
  'batch',
  'duration',
  'fromId',
  'trimStream',
  'onFailedPolicy',
  'onFailedRetryInterval',
  'maxAttempts',
  'maxInFlight',
  'maxAge',
  ...COMMON,
] as const;
const KEYS_AND_COMMON = [...KEYS_ARGUMENTS, ...COMMON] as const;
const HOOK_AND_COMMON = [...HOOK_ARGUMENTS, ...COMMON] as const;
const COMMAND_ARGUMENTS = ['trigger', 'inorder', ...COMMON] as const;

const SCHEDULE_AND_COMMON = [...SCHEDULE_ARGUMENTS, ...COMMON] as const;
const LIST_AND_COMMON = [...LIST_ARGUMENTS, ...COMMON] as const;
const PUBSUB_AND_COMMON = [...PUBSUB_ARGUMENTS, ...COMMON] as const;

export type Reader = 'StreamReader' | 'CommandReader' | 'KeysReader' | 'ScheduleReader' | 'ListReader' | 'PubSubReader';

/** The argument that may stand alone, as a string. */
const SHORT_FORMS = {
  __proto__: null,
  StreamReader: 'prefix',
  CommandReader: 'trigger',
  KeysReader: 'prefix',
  ScheduleReader: 'cron',
  ListReader: 'list',
  PubSubReader: 'channels',
} as const;

/** Items and messages run where they were taken up. */
const PRESET_MODES = {
  __proto__: null,
  StreamReader: 'async',
  CommandReader: 'async',
  KeysReader: 'async',
  ScheduleReader: 'async',
  ListReader: 'async_local',
  PubSubReader: 'async_local',
} as const;

/** As `TriggerSpec` of the functions layer. */
export type Trigger =
  | {
      readonly kind: 'stream';
      readonly prefix: string;
      readonly batch: number;
      readonly durationMs: number;
      readonly fromId: string;
      readonly trimStream: boolean;
      readonly onFailedPolicy: string;
      readonly retryIntervalMs: number;
      readonly maxAttempts: number;
      readonly maxInFlight: number;
      readonly maxAgeMs: number | null;
    }
  | { readonly kind: 'command'; readonly trigger: string; readonly inorder: boolean }
  | KeysTrigger
  | HookTrigger
  | CapturedTrigger;

/** The arguments of a `register(...)` call, checked and complete. */
export interface RegisterArguments {
  readonly trigger: Trigger;
  readonly mode: string;
  readonly convertToStr: boolean;
  readonly collect: boolean;
  readonly description: string | null;
  readonly id: string | null;
  readonly onRegistered: ((...args: unknown[]) => unknown) | null;
  readonly flow: FlowArguments | null;
}

function isDigits(text: string, from: number, to: number): boolean {
  if (from >= to) return false;
  for (let i = from; i < to; i++) {
    const code = charCodeAt(text, i);
    if (code < 48 || code > 57) return false;
  }
  return true;
}

/** True for `ms` and `ms-sequence`. */
export function isEntryId(text: string): boolean {
  if (text.length > 41) return false;
  for (let i = 0; i < text.length; i++) {
    if (charCodeAt(text, i) === 45) return isDigits(text, 0, i) && isDigits(text, i + 1, text.length);
  }
  return isDigits(text, 0, text.length);
}

function fromIdOf(call: string, value: unknown): string {
  if (value === undefined) return '0';
  if (typeof value === 'string' && (value === '$' || isEntryId(value))) return value;
  if (isSafeInteger(value) && (value as number) >= 0) return `${value as number}`;
  try {
    const time = dateGetTime(value as Date);
    if (isSafeInteger(time) && time >= 0) return `${time}`;
  } catch {
    // Not a date.
  }
  throw argumentError(
    `${call}: fromId must be '0' (everything), '$' (only what comes later), an entry id or a time in ms or as a Date, not ${showValue(value)}.`,
  );
}

function streamTrigger(call: string, read: OptionReader): Trigger {
  return {
    kind: 'stream',
    prefix: read.text('prefix') ?? '*',
    batch: read.count('batch', { preset: 1, from: 1, to: 100_000 }),
    durationMs: read.count('duration', { preset: 0, from: 0, to: 86_400_000 }),
    fromId: fromIdOf(call, read.raw('fromId')),
    trimStream: read.flag('trimStream', false),
    onFailedPolicy: read.oneOf('onFailedPolicy', POLICIES, 'continue'),
    retryIntervalMs: read.secondsAsMs('onFailedRetryInterval', 1_000),
    maxAttempts: read.count('maxAttempts', { preset: 5, from: 0, to: 1_000_000 }),
    maxInFlight: read.count('maxInFlight', { preset: 10_000, from: 1, to: 1_000_000 }),
    maxAgeMs: read.duration('maxAge'),
  };
}

function commandTrigger(call: string, read: OptionReader): Trigger {
  if (read.given('hook') || read.given('keyprefix')) return hookTrigger(call, read);
  const trigger = read.text('trigger');
  if (trigger === null) {
    throw argumentError(
      `${call}: no trigger or hook argument was given; register({ trigger: 'name' }) answers RG.TRIGGER name.`,
    );
  }
  return { kind: 'command', trigger, inorder: read.flag('inorder', false) };
}

/** `register('prefix')` and `register('prefix', {…})` are short for `register({ prefix, … })`. */
function optionsFrom(reader: Reader, args: readonly unknown[]): Options {
  const call = `${reader}.register`;
  if (args.length > 2) throw argumentError(`${call}: takes at most two arguments, not ${args.length}.`);
  if (typeof args[0] !== 'string') {
    if (args.length > 1) throw argumentError(`${call}: a second argument may only follow a prefix given as a string.`);
    return optionsOf(call, args[0]);
  }
  const name = SHORT_FORMS[reader];
  const options = optionsOf(call, args[1]);
  if (options[name] !== undefined) throw argumentError(`${call}: ${name} is given twice.`);
  return { __proto__: null, ...options, [name]: args[0] } as Options;
}

function argumentsOf(reader: Reader, options: Options): readonly string[] {
  switch (reader) {
    case 'StreamReader':
      return STREAM_ARGUMENTS;
    case 'KeysReader':
      return KEYS_AND_COMMON;
    case 'ScheduleReader':
      return SCHEDULE_AND_COMMON;
    case 'ListReader':
      return LIST_AND_COMMON;
    case 'PubSubReader':
      return PUBSUB_AND_COMMON;
    case 'CommandReader':
      if (options.hook === undefined && options.keyprefix === undefined) return COMMAND_ARGUMENTS;
      return HOOK_AND_COMMON;
  }
}

function triggerOf(reader: Reader, call: string, read: OptionReader): Trigger {
  switch (reader) {
    case 'StreamReader':
      return streamTrigger(call, read);
    case 'KeysReader':
      return keysTrigger(call, read);
    case 'ScheduleReader':
      return scheduleTrigger(call, read);
    case 'ListReader':
      return listTrigger(call, read);
    case 'PubSubReader':
      return pubSubTrigger(call, read);
    case 'CommandReader':
      return commandTrigger(call, read);
  }
}

/** Checks the arguments of `register` and fills in the documented defaults. Throws GUEST_ARGUMENT. */
export function readRegisterArguments(reader: Reader, args: readonly unknown[]): RegisterArguments {
  const call = `${reader}.register`;
  const options = optionsFrom(reader, args);
  refuseUnknown(call, options, argumentsOf(reader, options));
  const read = createOptionReader(call, options);
  return {
    trigger: triggerOf(reader, call, read),
    mode: read.oneOf('mode', MODES, PRESET_MODES[reader]),
    convertToStr: read.flag('convertToStr', true),
    collect: read.flag('collect', true),
    description: read.text('description'),
    id: read.text('id'),
    onRegistered: read.callback('onRegistered'),
    flow: flowArguments(call, read),
  };
}
