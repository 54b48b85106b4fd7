import { PlatformError } from '../errors.ts';
import { formatBytes } from './bytes.ts';
import type { Configuration } from './configuration.ts';
import { formatDuration } from './duration.ts';
import type { Limits } from './limits.ts';
import { type FieldReader, readFields, readList } from './untrusted.ts';

/** What people call a limit, in `configure({ limits })` and in settings. */
export interface LimitName {
  readonly field: keyof Limits;
  /** In `configure({ limits: … })`. */
  readonly name: string;
  /** Setting that holds the platform's own value. */
  readonly setting: string;
  readonly least: number;
  readonly show: (value: number) => string;
}

export const LIMIT_NAMES: readonly LimitName[] = [
  { field: 'memoryBytes', name: 'memory', setting: 'limit-memory', least: 8 * 1024 * 1024, show: formatBytes },
  { field: 'callMs', name: 'call', setting: 'limit-call-ms', least: 1, show: formatDuration },
  { field: 'executionMs', name: 'execution', setting: 'limit-execution-ms', least: 1, show: formatDuration },
  { field: 'outputBytes', name: 'output', setting: 'limit-output', least: 1024, show: formatBytes },
  { field: 'commandsPerEvent', name: 'commands', setting: 'limit-commands', least: 1, show: String },
  { field: 'commandBytes', name: 'commandBytes', setting: 'limit-command-bytes', least: 1024, show: formatBytes },
  { field: 'concurrency', name: 'concurrency', setting: 'limit-concurrency', least: 1, show: String },
];

const MAX_NAMES = 1_000;
const MAX_PATTERNS = 100;
const MAX_PATTERN_LENGTH = 256;
const MAX_SETTING_LENGTH = 10_000;
const MAX_SECRETS = 100;
const VARIABLE_NAME = /^[A-Za-z_][A-Za-z0-9_]{0,127}$/;
const COMMAND_NAME = /^[a-z][a-z0-9_.-]{0,63}$/;

/**
 * Turns what a sandbox reported of `configure(…)` into a configuration, believing nothing.
 * @param reported null or undefined = `configure` was not called.
 * @param ceiling the platform's own limits, which no version exceeds.
 * Errors: MANIFEST_INVALID naming field and value, and the setting where the platform allows less.
 */
export function parseConfiguration(reported: unknown, ceiling?: Limits): Configuration | null {
  if (reported === null || reported === undefined) return null;
  const fields = readFields(reported, 'configure', ['limits', 'commands', 'keys', 'settings', 'secrets?']);
  return {
    limits: parseLimits(
      fields.object(
        'limits',
        LIMIT_NAMES.map(({ field }) => field),
      ),
      ceiling,
    ),
    commands: parseTexts(fields, 'commands', { most: MAX_NAMES, isRight: (text) => COMMAND_NAME.test(text) }),
    keys: parseTexts(fields, 'keys', {
      most: MAX_PATTERNS,
      isRight: ({ length }) => length > 0 && length <= MAX_PATTERN_LENGTH,
    }),
    settings: parseSettings(fields.list('settings', MAX_NAMES)),
    ...parseSecrets(fields),
  };
}

function parseLimits(fields: FieldReader, ceiling: Limits | undefined): Partial<Limits> {
  const given = LIMIT_NAMES.filter(({ field }) => !fields.isNull(field)).map((limit) => {
    const value = fields.whole(limit.field, limit.least, Number.MAX_SAFE_INTEGER);
    if (ceiling !== undefined && value > ceiling[limit.field]) refuseRaised(limit, value, ceiling[limit.field]);
    return [limit.field, value] as const;
  });
  return Object.fromEntries(given);
}

function refuseRaised({ name, setting, show }: LimitName, value: number, most: number): never {
  throw new PlatformError(
    'MANIFEST_INVALID',
    `configure: limits.${name} is ${show(value)}; this platform allows at most ${show(most)} (setting ${setting})`,
    { details: { field: `limits.${name}`, value, most, setting } },
  );
}

interface TextRule {
  readonly most: number;
  readonly isRight: (text: string) => boolean;
}

function parseTexts(fields: FieldReader, field: string, { most, isRight }: TextRule): readonly string[] | null {
  if (fields.isNull(field)) return null;
  const texts = fields.list(field, most);
  if (texts.every((text): text is string => typeof text === 'string' && isRight(text))) return texts;
  return fields.refuse(field, field === 'keys' ? 'key patterns of 1 to 256 characters' : 'names of Redis commands');
}

function parseSecrets(fields: FieldReader): Pick<Configuration, 'secrets'> {
  if (!fields.has('secrets') || fields.isNull('secrets')) return {};
  const names = fields.list('secrets', MAX_SECRETS);
  const isRight = names.every((name) => typeof name === 'string' && VARIABLE_NAME.test(name));
  if (!isRight) fields.refuse('secrets', 'names of secrets: letters, digits and underscores, no digit first');
  return names.length === 0 ? {} : { secrets: [...new Set(names as string[])] };
}

function parseSettings(pairs: readonly unknown[]): Readonly<Record<string, string>> {
  const settings = pairs.map((pair, at) => {
    const path = `configure.settings[${at}]`;
    const fields = readFields({ ...readList(pair, path, 2) }, path, ['0', '1']);
    return [fields.text('0', 1_024, 1), fields.text('1', MAX_SETTING_LENGTH)] as const;
  });
  return Object.fromEntries(settings);
}
