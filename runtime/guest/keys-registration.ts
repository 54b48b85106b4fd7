import { argumentError, type OptionReader } from './arguments.ts';
import { showValue } from './describe.ts';
import { bareList, isArray, toLowerCase } from './primordials.ts';
import { includes, listed } from './suggest.ts';

const POLICIES = ['continue', 'abort', 'retry'] as const;
const KEY_TYPES = ['string', 'list', 'hash', 'set', 'zset', 'stream', 'module', 'empty'] as const;

export const KEYS_ARGUMENTS = [
  'prefix',
  'regex',
  'eventTypes',
  'keyTypes',
  'commands',
  'readValue',
  'quiet',
  'batch',
  'duration',
  'onFailedPolicy',
  'onFailedRetryInterval',
  'maxAttempts',
  'maxInFlight',
  'maxAge',
] as const;
export const HOOK_ARGUMENTS = ['hook', 'keyprefix', 'trigger', 'inorder'] as const;

/** As `KeysTriggerSpec` and `HookTriggerSpec` of the functions layer. */
export interface KeysTrigger {
  readonly kind: 'keys';
  readonly prefix: string;
  readonly eventTypes: readonly string[] | null;
  readonly keyTypes: readonly string[] | null;
  readonly commands: readonly string[] | null;
  readonly readValue: boolean;
  readonly quiet: boolean;
  readonly delivery: {
    readonly batch: number;
    readonly durationMs: number;
    readonly onFailedPolicy: string;
    readonly retryIntervalMs: number;
    readonly maxAttempts: number;
    readonly maxInFlight: number;
    readonly maxAgeMs: number | null;
  };
}
export interface HookTrigger {
  readonly kind: 'hook';
  readonly hook: string;
  readonly keyprefix: string | null;
  readonly inorder: boolean;
}

/** Texts of RedisGears, so that what people search for is found. */
interface ListTexts {
  readonly notList: string;
  readonly notText: string;
}

function namesOf(call: string, value: unknown, texts: ListTexts): readonly string[] | null {
  if (value === undefined || value === null) return null;
  if (!isArray(value)) throw argumentError(`${call}: ${texts.notList}; it is ${showValue(value)}.`);
  const names = bareList<string>();
  for (let i = 0; i < value.length; i++) {
    const name: unknown = value[i];
    if (typeof name !== 'string') throw argumentError(`${call}: ${texts.notText}; it is ${showValue(name)}.`);
    names[i] = toLowerCase(name);
  }
  return names;
}

export function keysTrigger(call: string, read: OptionReader): KeysTrigger {
  const prefix = read.raw('prefix') ?? read.raw('regex') ?? '*';
  if (typeof prefix !== 'string' || prefix === '') {
    throw argumentError(`${call}: regex argument must be a string: prefix is ${showValue(prefix)}.`);
  }
  const keyTypes = namesOf(call, read.raw('keyTypes'), {
    notList: 'given keyTypes is not iterable',
    notText: 'given key type is not string',
  });
  for (let i = 0; keyTypes !== null && i < keyTypes.length; i++) {
    if (includes(KEY_TYPES, keyTypes[i] as string)) continue;
    throw argumentError(
      `${call}: unknown key type ${showValue(keyTypes[i])} in keyTypes; there are ${listed(KEY_TYPES)}.`,
    );
  }
  const readValue = read.raw('readValue') ?? true;
  if (typeof readValue !== 'boolean')
    throw argumentError(`${call}: readValue is not boolean; it is ${showValue(readValue)}.`);
  return {
    kind: 'keys',
    prefix,
    eventTypes: namesOf(call, read.raw('eventTypes'), {
      notList: 'given eventTypes is not iterable',
      notText: 'given event type is not string',
    }),
    keyTypes,
    commands: namesOf(call, read.raw('commands'), {
      notList: 'given commands is not iterable',
      notText: 'given command type is not string',
    }),
    readValue,
    quiet: read.flag('quiet', false),
    delivery: {
      batch: read.count('batch', { preset: 1, from: 1, to: 100_000 }),
      durationMs: read.count('duration', { preset: 0, from: 0, to: 86_400_000 }),
      onFailedPolicy: read.oneOf('onFailedPolicy', POLICIES, 'continue'),
      retryIntervalMs: read.secondsAsMs('onFailedRetryInterval', 1_000),
      maxAttempts: read.count('maxAttempts', { preset: 5, from: 0, to: 1_000_000 }),
      maxInFlight: read.count('maxInFlight', { preset: 10_000, from: 1, to: 1_000_000 }),
      maxAgeMs: read.duration('maxAge'),
    },
  };
}

export function hookTrigger(call: string, read: OptionReader): HookTrigger {
  if (read.given('trigger')) {
    throw argumentError(`${call}: trigger argument can not be given with keyprefix or hook.`);
  }
  const hook = read.raw('hook');
  if (hook === undefined || hook === null) {
    throw argumentError(`${call}: no trigger or hook argument was given; keyprefix goes with hook.`);
  }
  if (typeof hook !== 'string' || hook === '') {
    throw argumentError(`${call}: hook argument is not string; it is ${showValue(hook)}.`);
  }
  const keyprefix = read.raw('keyprefix') ?? null;
  if (keyprefix !== null && typeof keyprefix !== 'string') {
    throw argumentError(`${call}: keyprefix argument is not string; it is ${showValue(keyprefix)}.`);
  }
  return { kind: 'hook', hook: toLowerCase(hook), keyprefix, inorder: read.flag('inorder', false) };
}
