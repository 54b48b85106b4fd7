import { type HookTriggerSpec, KEY_TYPES, type KeysTriggerSpec, type KeyType } from './keys-trigger-spec.ts';
import { parseDelivery } from './parse-captured.ts';
import type { FieldReader } from './untrusted.ts';

const MOST_NAMES = 1_000;
const MAX_NAME_LENGTH = 1_024;

export const KEYS_FIELDS = [
  'kind',
  'prefix',
  'eventTypes',
  'keyTypes',
  'commands',
  'readValue',
  'quiet',
  'delivery',
] as const;
export const HOOK_FIELDS = ['kind', 'hook', 'keyprefix', 'inorder'] as const;

export function parseKeysTrigger(fields: FieldReader, platformPrefix: string): KeysTriggerSpec {
  const prefix = fields.text('prefix', MAX_NAME_LENGTH, 1);
  if (prefix.startsWith(platformPrefix)) {
    fields.refuse('prefix', `outside of the platform's own keys, which begin with "${platformPrefix}"`);
  }
  const keyTypes = parseNames(fields, 'keyTypes');
  const unknown = keyTypes?.find((type) => !KEY_TYPES.includes(type as KeyType));
  if (unknown !== undefined) fields.refuse('keyTypes', `a list of ${KEY_TYPES.join(', ')}`);
  return {
    kind: fields.oneOf('kind', ['keys'] as const),
    prefix,
    eventTypes: parseNames(fields, 'eventTypes'),
    keyTypes: keyTypes as readonly KeyType[] | null,
    commands: parseNames(fields, 'commands'),
    readValue: fields.flag('readValue'),
    quiet: fields.flag('quiet'),
    delivery: parseDelivery(fields),
  };
}

export function parseHookTrigger(fields: FieldReader): HookTriggerSpec {
  return {
    kind: fields.oneOf('kind', ['hook'] as const),
    hook: fields.text('hook', 128, 1).toLowerCase(),
    keyprefix: fields.textOrNull('keyprefix', MAX_NAME_LENGTH),
    inorder: fields.flag('inorder'),
  };
}

/** Names in lower case without doubles; null as it is. */
function parseNames(fields: FieldReader, field: string): readonly string[] | null {
  if (fields.isNull(field)) return null;
  const names = new Set<string>();
  for (const name of fields.list(field, MOST_NAMES)) {
    if (typeof name !== 'string' || name === '' || name.length > 128) {
      return fields.refuse(field, 'a list of texts of 1 to 128 characters');
    }
    names.add(name.toLowerCase());
  }
  return [...names];
}
