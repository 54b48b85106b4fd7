import { PlatformError } from '../errors.ts';
import { isEntryId, parseEntryId } from './entry-id.ts';
import type { Limits } from './limits.ts';
import type { Manifest } from './manifest.ts';
import {
  LIST_FIELDS,
  listName,
  PUBSUB_FIELDS,
  parseListTrigger,
  parsePubSubTrigger,
  parseScheduleTrigger,
  pubSubName,
  SCHEDULE_FIELDS,
  scheduleName,
} from './parse-captured.ts';
import { parseConfiguration } from './parse-configuration.ts';
import { FLOW_FIELDS, parseFlow } from './parse-flow.ts';
import { HOOK_FIELDS, KEYS_FIELDS, parseHookTrigger, parseKeysTrigger } from './parse-keys.ts';
import { parseRuns, parseStep } from './parse-run.ts';
import {
  type CommandTriggerSpec,
  FAILURE_POLICIES,
  MODES,
  READERS,
  type ReaderName,
  type RegistrationSpec,
  type StreamTriggerSpec,
  type TriggerSpec,
} from './plan.ts';
import { type FieldReader, readFields, readList } from './untrusted.ts';

export interface ManifestOptions {
  /** Begin of the platform's own keys, which no registration may be bound to. Default `rg:`. */
  readonly platformPrefix?: string;
  /** What was reported of `configure(…)`; null or left out = it was not called. */
  readonly configuration?: unknown;
  /** The platform's limits, which `configure` may lower and not raise. */
  readonly ceiling?: Limits;
  /** List of what the source's `run` calls reported, in their order; at most one. Default: none. */
  readonly runs?: unknown;
}

const FUNCTION_NAME = /^[A-Za-z0-9_.-]{1,128}$/;
const EXPLICIT_ID = /^[A-Za-z0-9_.:-]{1,128}$/;
const DAY_MS = 86_400_000;

const MAX_REGISTRATIONS = 1_000;
const MAX_STEPS = 1_000;
const MAX_NAME_LENGTH = 1_024;
const MAX_DESCRIPTION_LENGTH = 10_000;

const REGISTRATION_FIELDS = [
  'index',
  'id',
  'reader',
  'description',
  'mode',
  'trigger',
  'steps',
  'convertToStr',
  'collect',
  'hasOnRegistered',
  'flow?',
] as const;
const STREAM_FIELDS = [
  'kind',
  'prefix',
  'batch',
  'durationMs',
  'fromId',
  'trimStream',
  'onFailedPolicy',
  'retryIntervalMs',
  'maxAttempts',
  'maxInFlight',
  'maxAgeMs',
] as const;
const COMMAND_FIELDS = ['kind', 'trigger', 'inorder'] as const;

/** Errors: ARGUMENT_INVALID. */
export function checkFunctionName(name: string): void {
  if (FUNCTION_NAME.test(name)) return;
  throw new PlatformError(
    'ARGUMENT_INVALID',
    `"${name.slice(0, 140)}" is no function name; use 1 to 128 of the characters A-Z a-z 0-9 _ . -`,
    { details: { value: name.slice(0, 140) } },
  );
}

/**
 * Turns what a sandbox reported into a manifest, believing nothing: every field has its type and range, unknown ones are
 * refused. Gives each registration its id: `<function>/<kind>/<prefix or trigger>`, with `~2`, `~3` … behind repeated ones,
 * or `<function>/<id>` where the author named it.
 * @param reported list of `ReportedRegistration`, in the order of the `register` calls.
 * Errors: MANIFEST_INVALID naming field and value; ARGUMENT_INVALID for the function name.
 */
export function parseManifest(functionName: string, reported: unknown, options: ManifestOptions = {}): Manifest {
  checkFunctionName(functionName);
  const platformPrefix = options.platformPrefix ?? 'rg:';
  const taken = new Set<string>();
  const triggers = new Set<string>();
  const registrations = readList(reported, 'registrations', MAX_REGISTRATIONS).map((value, index) => {
    const fields = readFields(value, `registrations[${index}]`, REGISTRATION_FIELDS);
    const spec = parseRegistration(fields, index, platformPrefix);
    if (spec.trigger.kind === 'command') claimTrigger(fields, spec.trigger.trigger, triggers);
    const id = explicitId(functionName, fields, taken) ?? freeId(`${functionName}/${sourceName(spec.trigger)}`, taken);
    taken.add(id);
    return { ...spec, id };
  });
  const runs = parseRuns(options.runs ?? []);
  const configuration = parseConfiguration(options.configuration, options.ceiling);
  return { registrations, runs, ...(configuration === null ? {} : { configuration }) };
}

function parseRegistration(fields: FieldReader, index: number, platformPrefix: string): Omit<RegistrationSpec, 'id'> {
  fields.whole('index', index, index);
  const reader = fields.oneOf('reader', READERS);
  const spec = {
    index,
    reader,
    description: fields.textOrNull('description', MAX_DESCRIPTION_LENGTH),
    mode: fields.oneOf('mode', MODES),
    trigger: parseTrigger(fields, reader, platformPrefix),
    steps: fields.list('steps', MAX_STEPS).map((step, at) => parseStep(step, `${fields.path}.steps[${at}]`)),
    convertToStr: fields.flag('convertToStr'),
    collect: fields.flag('collect'),
    hasOnRegistered: fields.flag('hasOnRegistered'),
  };
  return fields.has('flow') ? { ...spec, flow: parseFlow(fields.object('flow', FLOW_FIELDS), spec) } : spec;
}

function parseTrigger(fields: FieldReader, reader: ReaderName, platformPrefix: string): TriggerSpec {
  switch (reader) {
    case 'StreamReader':
      return parseStreamTrigger(fields.object('trigger', STREAM_FIELDS), platformPrefix);
    case 'CommandReader':
      return fields.peek('trigger', 'kind') === 'hook'
        ? parseHookTrigger(fields.object('trigger', HOOK_FIELDS))
        : parseCommandTrigger(fields.object('trigger', COMMAND_FIELDS));
    case 'KeysReader':
      return parseKeysTrigger(fields.object('trigger', KEYS_FIELDS), platformPrefix);
    case 'ScheduleReader':
      return parseScheduleTrigger(fields.object('trigger', SCHEDULE_FIELDS));
    case 'ListReader':
      return parseListTrigger(fields.object('trigger', LIST_FIELDS), platformPrefix);
    case 'PubSubReader':
      return parsePubSubTrigger(fields.object('trigger', PUBSUB_FIELDS), platformPrefix);
  }
}

function parseStreamTrigger(fields: FieldReader, platformPrefix: string): StreamTriggerSpec {
  const prefix = fields.text('prefix', MAX_NAME_LENGTH, 1);
  if (prefix.startsWith(platformPrefix)) {
    fields.refuse('prefix', `outside of the platform's own keys, which begin with "${platformPrefix}"`);
  }
  return {
    kind: fields.oneOf('kind', ['stream']),
    prefix,
    batch: fields.whole('batch', 1, 100_000),
    durationMs: fields.whole('durationMs', 0, DAY_MS),
    fromId: parseFromId(fields),
    trimStream: fields.flag('trimStream'),
    onFailedPolicy: fields.oneOf('onFailedPolicy', FAILURE_POLICIES),
    retryIntervalMs: fields.whole('retryIntervalMs', 0, DAY_MS),
    maxAttempts: fields.whole('maxAttempts', 0, 1_000_000),
    maxInFlight: fields.whole('maxInFlight', 1, 1_000_000),
    maxAgeMs: parseMaxAge(fields),
  };
}

function parseFromId(fields: FieldReader): string {
  const fromId = fields.text('fromId', 41, 1);
  if (fromId === '0' || fromId === '$') return fromId;
  if (!isEntryId(fromId)) fields.refuse('fromId', '0, $, an entry id or a time in milliseconds since the epoch');
  return parseEntryId(fromId);
}

function parseMaxAge(fields: FieldReader): number | null {
  return fields.isNull('maxAgeMs') ? null : fields.whole('maxAgeMs', 1, 36_500 * DAY_MS);
}

function parseCommandTrigger(fields: FieldReader): CommandTriggerSpec {
  return {
    kind: fields.oneOf('kind', ['command']),
    trigger: fields.text('trigger', MAX_NAME_LENGTH, 1),
    inorder: fields.flag('inorder'),
  };
}

function claimTrigger(fields: FieldReader, trigger: string, triggers: Set<string>): void {
  if (triggers.has(trigger)) fields.refuse('trigger', 'a trigger that the same source has not registered already');
  triggers.add(trigger);
}

function explicitId(functionName: string, fields: FieldReader, taken: ReadonlySet<string>): string | null {
  const given = fields.textOrNull('id', 128);
  if (given === null) return null;
  const id = `${functionName}/${given}`;
  if (!EXPLICIT_ID.test(given)) fields.refuse('id', 'made of the characters A-Z a-z 0-9 _ . : -');
  if (taken.has(id)) fields.refuse('id', 'different from the ids of the registrations before it');
  return id;
}

function sourceName(trigger: TriggerSpec): string {
  switch (trigger.kind) {
    case 'stream':
      return `stream/${trigger.prefix}`;
    case 'command':
      return `command/${trigger.trigger}`;
    case 'keys':
      return `keys/${trigger.prefix}`;
    case 'hook':
      return `hook/${trigger.hook}`;
    case 'schedule':
      return scheduleName(trigger);
    case 'list':
      return listName(trigger);
    case 'pubsub':
      return pubSubName(trigger);
  }
}

function freeId(base: string, taken: ReadonlySet<string>): string {
  let id = base;
  for (let n = 2; taken.has(id); n += 1) id = `${base}~${n}`;
  return id;
}
