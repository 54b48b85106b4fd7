import { showValue } from './describe.ts';
import { guestError } from './errors.ts';
import {
  arrayBufferBytes,
  dataViewBuffer,
  dataViewBytes,
  dataViewOffset,
  isView,
  NativeUint8Array,
  typedArrayBuffer,
  typedArrayBytes,
  typedArrayName,
  typedArrayOffset,
} from './primordials.ts';
import { arrayToBytes, bytesOfString } from './text.ts';

const LENGTHS: string[] = [];
for (let n = 0; n < 512; n++) LENGTHS[n] = `$${n}\r\n`;

/** A bulk string of latin1 text. */
export function bulk(bytes: string): string {
  const length = bytes.length;
  return `${length < 512 ? LENGTHS[length] : `$${length}\r\n`}${bytes}\r\n`;
}

/** The bytes of an ArrayBuffer or a view of one as latin1 text; undefined for everything else. */
export function bytesOfBinary(value: object): string | undefined {
  if (isView(value)) {
    const typed = typedArrayName(value) !== undefined;
    const buffer = typed ? typedArrayBuffer(value) : dataViewBuffer(value);
    const offset = typed ? typedArrayOffset(value) : dataViewOffset(value);
    const length = typed ? typedArrayBytes(value) : dataViewBytes(value);
    return arrayToBytes(new NativeUint8Array(buffer, offset, length), length);
  }
  try {
    const length = arrayBufferBytes(value);
    return arrayToBytes(new NativeUint8Array(value as ArrayBuffer), length);
  } catch {
    return undefined;
  }
}

function wrongArgument(value: unknown, position: number, what: string): Error {
  const missing = value === null || value === undefined;
  const hint = missing
    ? 'Redis knows no such value: leave the argument out, or send an empty string'
    : 'send a string, number, bigint, boolean or bytes, for instance JSON.stringify(value)';
  const name = position === 0 ? 'the command' : `argument ${position}`;
  return guestError('GUEST_ERROR', `${what}: ${name} is ${showValue(value)}; ${hint}.`, 'type');
}

function bytesOfArgument(value: unknown, position: number, what: string): string {
  switch (typeof value) {
    case 'string':
      return bytesOfString(value);
    case 'number':
    case 'bigint':
    case 'boolean':
      return `${value}`;
    case 'object': {
      const bytes = value === null ? undefined : bytesOfBinary(value);
      if (bytes !== undefined) return bytes;
      throw wrongArgument(value, position, what);
    }
    default:
      throw wrongArgument(value, position, what);
  }
}

/**
 * One RESP command as latin1 text. Strings become UTF-8, bytes stay what they are, numbers, bigints and booleans become
 * their text; everything else is a TypeError that names the argument's position (the command is position 0).
 */
export function encodeCommand(args: readonly unknown[], what: string): string {
  const count = args.length;
  const command = args[0];
  if (typeof command !== 'string' || command === '') {
    throw guestError(
      'GUEST_ERROR',
      `${what}: the command must be a non-empty string such as 'HINCRBY', not ${showValue(command)}.`,
      'type',
    );
  }
  let text = `*${count}\r\n`;
  for (let i = 0; i < count; i++) text += bulk(bytesOfArgument(args[i], i, what));
  return text;
}
