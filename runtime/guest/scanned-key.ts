import type { Parser } from './parse.ts';
import { bareList, ordinaryList, toNumber } from './primordials.ts';

/** A record of the keys reader; without `readValue` it has neither value nor type. */
export interface ScannedKey {
  readonly key: unknown;
  readonly value?: unknown;
  readonly type?: string;
  readonly event: null;
}

/** The reference calls a stream `unknown`, a missing key `empty`, and what a module keeps `module`. */
function typeName(type: string): string {
  switch (type) {
    case 'string':
    case 'hash':
    case 'list':
    case 'set':
    case 'zset':
      return type;
    case 'stream':
    case 'unknown':
      return 'unknown';
    case 'none':
    case 'empty':
      return 'empty';
    default:
      return 'module';
  }
}

/** `[member, score]` pairs of a ZRANGE … WITHSCORES reply. */
function scoredMembers(flat: readonly unknown[]): unknown[] {
  const pairs = bareList<unknown>();
  for (let i = 0; i < flat.length; i += 2) pairs[i / 2] = [flat[i], toNumber(flat[i + 1])];
  return ordinaryList(pairs);
}

function shapedValue(parser: Parser, type: string): unknown {
  if (!parser.isArray()) {
    const value = parser.reply(false);
    // An error stands for a key that changed its type between its type and its value.
    return value === undefined ? null : value;
  }
  if (type === 'hash') return parser.fields();
  const value = parser.reply(false) as unknown[] | null;
  return type === 'zset' && value !== null ? scoredMembers(value) : value;
}

/** True for an aggregate without elements: Redis keeps none, so the key went away meanwhile. */
function isGone(parser: Parser, type: string): boolean {
  return parser.startsWith('*0\r\n') || ((type === 'string' || type === 'hash' || type === 'list') && parser.isNil());
}

/** Reads one `[key]` or `[key, type, value]`, as the reads of a scan replied. */
export function readScannedKey(parser: Parser): ScannedKey {
  const count = parser.arrayLength();
  const key = parser.reply(false);
  if (count < 3) {
    for (let i = 1; i < count; i++) parser.reply(false);
    return { key, event: null };
  }
  return readScannedValue(parser, key, parser.bytes() ?? 'none');
}

/** Reads a value, as the read command of its type replied. */
export function readScannedValue(parser: Parser, key: unknown, typeText: string): ScannedKey {
  const type = typeName(typeText);
  const gone = isGone(parser, type);
  const value = shapedValue(parser, type);
  return gone ? { key, value: null, type: 'empty', event: null } : { key, value, type, event: null };
}
