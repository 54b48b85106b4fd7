import { argumentError, type OptionReader } from './arguments.ts';
import { showValue } from './describe.ts';
import { bareList, dateGetTime, isArray, isSafeInteger, parseDate, quote } from './primordials.ts';

const POLICIES = ['continue', 'abort', 'retry'] as const;
const MISSED = ['skip', 'once', 'all'] as const;
const SIDES = ['left', 'right'] as const;

const DELIVERY_ARGUMENTS = ['onFailedPolicy', 'onFailedRetryInterval', 'maxAttempts', 'maxInFlight', 'maxAge'] as const;
/** What only makes sense for messages that are kept. */
const DURABLE_ARGUMENTS = ['duration', 'onFailedPolicy', 'onFailedRetryInterval', 'maxAttempts', 'maxAge'] as const;

export const SCHEDULE_ARGUMENTS = ['cron', 'timeZone', 'every', 'at', 'missed', ...DELIVERY_ARGUMENTS] as const;
export const LIST_ARGUMENTS = ['list', 'lists', 'from', 'batch', 'duration', ...DELIVERY_ARGUMENTS] as const;
export const PUBSUB_ARGUMENTS = [
  'channels',
  'patterns',
  'sharded',
  'durable',
  'batch',
  'duration',
  ...DELIVERY_ARGUMENTS,
] as const;

interface Delivery {
  readonly batch: number;
  readonly durationMs: number;
  readonly onFailedPolicy: string;
  readonly retryIntervalMs: number;
  readonly maxAttempts: number;
  readonly maxInFlight: number;
  readonly maxAgeMs: number | null;
}

/** As `ScheduleTriggerSpec`, `ListTriggerSpec` and `PubSubTriggerSpec` of the functions layer. */
export interface ScheduleTrigger {
  readonly kind: 'schedule';
  readonly cron: string | null;
  readonly timeZone: string;
  readonly everyMs: number | null;
  readonly atMs: number | null;
  readonly missed: string;
  readonly delivery: Delivery;
}
export interface ListTrigger {
  readonly kind: 'list';
  readonly lists: readonly string[];
  readonly from: string;
  readonly delivery: Delivery;
}
export interface PubSubTrigger {
  readonly kind: 'pubsub';
  readonly channels: readonly string[];
  readonly patterns: readonly string[];
  readonly sharded: boolean;
  readonly durable: boolean;
  readonly delivery: Delivery;
}
export type CapturedTrigger = ScheduleTrigger | ListTrigger | PubSubTrigger;

function deliveryOf(read: OptionReader, policy: 'continue' | 'retry'): Delivery {
  return {
    batch: read.count('batch', { preset: 1, from: 1, to: 100_000 }),
    durationMs: read.count('duration', { preset: 0, from: 0, to: 86_400_000 }),
    onFailedPolicy: read.oneOf('onFailedPolicy', POLICIES, policy),
    retryIntervalMs: read.secondsAsMs('onFailedRetryInterval', 1_000),
    maxAttempts: read.count('maxAttempts', { preset: 5, from: 0, to: 1_000_000 }),
    maxInFlight: read.count('maxInFlight', { preset: 1_000, from: 1, to: 1_000_000 }),
    maxAgeMs: read.duration('maxAge'),
  };
}

function timeOf(call: string, value: unknown): number | null {
  if (value === undefined || value === null) return null;
  if (isSafeInteger(value) && (value as number) >= 0) return value as number;
  if (typeof value === 'string') {
    const time = parseDate(value);
    if (isSafeInteger(time) && time >= 0) return time;
  }
  try {
    const time = dateGetTime(value as Date);
    if (isSafeInteger(time) && time >= 0) return time;
  } catch {
    // Not a date.
  }
  throw argumentError(
    `${call}: at must be a time in ms, a Date or a text such as '2030-01-31T12:00:00Z', not ${showValue(value)}.`,
  );
}

export function scheduleTrigger(call: string, read: OptionReader): ScheduleTrigger {
  const cron = read.text('cron');
  const everyMs = read.duration('every');
  const atMs = timeOf(call, read.raw('at'));
  const given = (cron === null ? 0 : 1) + (everyMs === null ? 0 : 1) + (atMs === null ? 0 : 1);
  if (given !== 1) {
    throw argumentError(
      `${call}: exactly one of cron, every and at says when, such as { cron: '0 * * * *' } or { every: '5m' }; ${given} were given.`,
    );
  }
  if (everyMs !== null && everyMs < 100) throw argumentError(`${call}: every must be 100 ms at least, not ${everyMs}.`);
  const timeZone = read.text('timeZone');
  if (timeZone !== null && cron === null) throw argumentError(`${call}: timeZone goes with cron only.`);
  return {
    kind: 'schedule',
    cron,
    timeZone: timeZone ?? 'UTC',
    everyMs,
    atMs,
    missed: read.oneOf('missed', MISSED, 'once'),
    delivery: deliveryOf(read, 'retry'),
  };
}

/** A name or a list of names. */
function namesOf(call: string, name: string, value: unknown): readonly string[] {
  const names = bareList<string>();
  if (value === undefined || value === null) return names;
  const list: readonly unknown[] = isArray(value) ? value : [value];
  for (let i = 0; i < list.length; i++) {
    const item = list[i];
    if (typeof item !== 'string' || item === '') {
      throw argumentError(`${call}: ${name} must be a non-empty string or a list of them, not ${showValue(item)}.`);
    }
    names[i] = item;
  }
  return names;
}

export function listTrigger(call: string, read: OptionReader): ListTrigger {
  if (read.given('list') === read.given('lists')) {
    throw argumentError(
      `${call}: one of list and lists names the keys: { list: 'jobs' }, or { lists: ['high', 'low'] } with the most urgent first.`,
    );
  }
  const name = read.given('list') ? 'list' : 'lists';
  const lists = namesOf(call, name, read.raw(name));
  if (lists.length === 0) throw argumentError(`${call}: lists is empty.`);
  return {
    kind: 'list',
    lists,
    from: read.oneOf('from', SIDES, 'right'),
    delivery: deliveryOf(read, 'retry'),
  };
}

export function pubSubTrigger(call: string, read: OptionReader): PubSubTrigger {
  const channels = namesOf(call, 'channels', read.raw('channels'));
  const patterns = namesOf(call, 'patterns', read.raw('patterns'));
  const sharded = read.flag('sharded', false);
  const durable = read.flag('durable', false);
  if (channels.length + patterns.length === 0) {
    throw argumentError(`${call}: channels or patterns must be given, such as { channels: ['news'] }.`);
  }
  if (sharded && patterns.length > 0) {
    throw argumentError(`${call}: sharded channels have no patterns; name them under channels.`);
  }
  if (!durable) refuseDurable(call, read);
  return {
    kind: 'pubsub',
    channels,
    patterns,
    sharded,
    durable,
    delivery: deliveryOf(read, durable ? 'retry' : 'continue'),
  };
}

function refuseDurable(call: string, read: OptionReader): void {
  for (let i = 0; i < DURABLE_ARGUMENTS.length; i++) {
    const name = DURABLE_ARGUMENTS[i] as string;
    if (!read.given(name)) continue;
    throw argumentError(`${call}: ${name} needs durable: true; other messages run at most once and are not kept.`);
  }
  if (read.raw('mode') !== 'async') return;
  throw argumentError(`${call}: mode 'async' needs durable: true; other messages run on the node that hears them.`);
}

function namesJson(names: readonly string[]): string {
  let json = '';
  for (let i = 0; i < names.length; i++) json += `${i === 0 ? '' : ','}${quote(names[i] as string)}`;
  return `[${json}]`;
}

function deliveryJson(delivery: Delivery): string {
  return `{"batch":${delivery.batch},"durationMs":${delivery.durationMs},"onFailedPolicy":${quote(delivery.onFailedPolicy)},"retryIntervalMs":${delivery.retryIntervalMs},"maxAttempts":${delivery.maxAttempts},"maxInFlight":${delivery.maxInFlight},"maxAgeMs":${delivery.maxAgeMs}}`;
}

export function capturedJson(trigger: CapturedTrigger): string {
  const delivery = deliveryJson(trigger.delivery);
  switch (trigger.kind) {
    case 'schedule': {
      const cron = trigger.cron === null ? 'null' : quote(trigger.cron);
      return `{"kind":"schedule","cron":${cron},"timeZone":${quote(trigger.timeZone)},"everyMs":${trigger.everyMs},"atMs":${trigger.atMs},"missed":${quote(trigger.missed)},"delivery":${delivery}}`;
    }
    case 'list':
      return `{"kind":"list","lists":${namesJson(trigger.lists)},"from":${quote(trigger.from)},"delivery":${delivery}}`;
    case 'pubsub':
      return `{"kind":"pubsub","channels":${namesJson(trigger.channels)},"patterns":${namesJson(trigger.patterns)},"sharded":${trigger.sharded},"durable":${trigger.durable},"delivery":${delivery}}`;
  }
}
