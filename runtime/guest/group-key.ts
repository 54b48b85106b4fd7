import { bytesOfBinary } from './encode.ts';
import { guestError } from './errors.ts';
import { createJsonWriter } from './json.ts';
import { isThenable, type UserFunction } from './plan.ts';
import { toText } from './primordials.ts';
import { valueOfBytes } from './text.ts';

const MAX_KEY_BYTES = 65_536;

/** Keys of groups are text, as in the reference: JSON for objects, bytes as they are, the text of the value for the rest. */
export function keyText(key: unknown): string {
  if (typeof key === 'string') return key;
  if (typeof key !== 'object' || key === null) return toText(key);
  const bytes = bytesOfBinary(key);
  if (bytes === undefined)
    return createJsonWriter({ left: MAX_KEY_BYTES, limit: MAX_KEY_BYTES }).write(key, null) ?? 'null';
  const value = valueOfBytes(bytes);
  return typeof value === 'string' ? value : bytes;
}

/** Takes the key of a record with an extractor, which must not be async. */
export function extractKey(operation: string, extractor: UserFunction, value: unknown): string {
  const key = extractor(value);
  if (!isThenable(key)) return keyText(key);
  throw guestError('GUEST_ERROR', `The extractor of ${operation} must not be async; only its reducer may be.`, 'type');
}
