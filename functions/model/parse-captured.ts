import type { CapturedDelivery } from './captured-delivery.ts';
import { formatDuration } from './duration.ts';
import type { ListTriggerSpec } from './list-trigger-spec.ts';
import { FAILURE_POLICIES } from './plan.ts';
import type { PubSubTriggerSpec } from './pubsub-trigger-spec.ts';
import { MISSED_POLICIES, type Schedule, type ScheduleTriggerSpec } from './schedule-trigger-spec.ts';
import type { FieldReader } from './untrusted.ts';

const DAY_MS = 86_400_000;
const YEAR_3000_MS = 32_503_680_000_000;
const LEAST_EVERY_MS = 100;
const MOST_KEYS = 100;
const MAX_NAME_LENGTH = 1_024;
const MAX_CRON_LENGTH = 256;
/** Of the part of a registration's id that comes from its arguments. */
const MAX_ID_LENGTH = 200;

export const SCHEDULE_FIELDS = ['kind', 'cron', 'timeZone', 'everyMs', 'atMs', 'missed', 'delivery'] as const;
export const LIST_FIELDS = ['kind', 'lists', 'from', 'delivery'] as const;
export const PUBSUB_FIELDS = ['kind', 'channels', 'patterns', 'sharded', 'durable', 'delivery'] as const;

const DELIVERY_FIELDS = [
  'batch',
  'durationMs',
  'onFailedPolicy',
  'retryIntervalMs',
  'maxAttempts',
  'maxInFlight',
  'maxAgeMs',
] as const;

/** Whether the cron text and the time zone mean anything is checked where the clock is, with the library that runs it. */
export function parseScheduleTrigger(fields: FieldReader): ScheduleTriggerSpec {
  const spec = {
    kind: fields.oneOf('kind', ['schedule'] as const),
    cron: fields.textOrNull('cron', MAX_CRON_LENGTH),
    timeZone: fields.text('timeZone', 64, 1),
    everyMs: fields.isNull('everyMs') ? null : fields.whole('everyMs', LEAST_EVERY_MS, 366 * DAY_MS),
    atMs: fields.isNull('atMs') ? null : fields.whole('atMs', 0, YEAR_3000_MS),
    missed: fields.oneOf('missed', MISSED_POLICIES),
    delivery: parseDelivery(fields),
  };
  const given = [spec.cron, spec.everyMs, spec.atMs].filter((one) => one !== null);
  if (given.length !== 1) fields.refuse('cron', 'given alone: exactly one of cron, every and at');
  return spec;
}

export function parseListTrigger(fields: FieldReader, platformPrefix: string): ListTriggerSpec {
  const lists = parseNames(fields, 'lists', platformPrefix);
  if (lists.length === 0) fields.refuse('lists', 'a list of at least one key');
  return {
    kind: fields.oneOf('kind', ['list'] as const),
    lists,
    from: fields.oneOf('from', ['left', 'right'] as const),
    delivery: parseDelivery(fields),
  };
}

export function parsePubSubTrigger(fields: FieldReader, platformPrefix: string): PubSubTriggerSpec {
  const channels = parseNames(fields, 'channels', platformPrefix);
  const patterns = parseNames(fields, 'patterns', platformPrefix);
  const sharded = fields.flag('sharded');
  if (channels.length + patterns.length === 0) fields.refuse('channels', 'a list of at least one channel, or patterns');
  if (sharded && patterns.length > 0) fields.refuse('patterns', 'empty: sharded channels have no patterns');
  return {
    kind: fields.oneOf('kind', ['pubsub'] as const),
    channels,
    patterns,
    sharded,
    durable: fields.flag('durable'),
    delivery: parseDelivery(fields),
  };
}

/** The part of a registration's id that says what it reacts to. */
export function scheduleName({ cron, everyMs, atMs }: Schedule): string {
  if (everyMs !== null) return `schedule/every-${formatDuration(everyMs)}`;
  if (atMs !== null) return `schedule/at-${new Date(atMs).toISOString()}`;
  return `schedule/${(cron ?? '').trim().replaceAll(/\s+/g, '_')}`;
}

export function listName({ lists }: ListTriggerSpec): string {
  return `list/${lists.join(',')}`.slice(0, MAX_ID_LENGTH);
}

export function pubSubName({ channels, patterns }: PubSubTriggerSpec): string {
  return `pubsub/${[...channels, ...patterns].join(',')}`.slice(0, MAX_ID_LENGTH);
}

export function parseDelivery(trigger: FieldReader): CapturedDelivery {
  const fields = trigger.object('delivery', DELIVERY_FIELDS);
  return {
    batch: fields.whole('batch', 1, 100_000),
    durationMs: fields.whole('durationMs', 0, DAY_MS),
    onFailedPolicy: fields.oneOf('onFailedPolicy', FAILURE_POLICIES),
    retryIntervalMs: fields.whole('retryIntervalMs', 0, DAY_MS),
    maxAttempts: fields.whole('maxAttempts', 0, 1_000_000),
    maxInFlight: fields.whole('maxInFlight', 1, 1_000_000),
    maxAgeMs: fields.isNull('maxAgeMs') ? null : fields.whole('maxAgeMs', 1, 36_500 * DAY_MS),
  };
}

/** Names without doubles, in their order; none of the platform's own. */
function parseNames(fields: FieldReader, field: string, platformPrefix: string): readonly string[] {
  const names: string[] = [];
  for (const name of fields.list(field, MOST_KEYS)) {
    if (typeof name !== 'string' || name === '' || name.length > MAX_NAME_LENGTH) {
      return fields.refuse(field, `a list of texts of 1 to ${MAX_NAME_LENGTH} characters`);
    }
    if (name.startsWith(platformPrefix)) {
      return fields.refuse(field, `outside of the platform's own keys, which begin with "${platformPrefix}"`);
    }
    if (!names.includes(name)) names.push(name);
  }
  return names;
}
