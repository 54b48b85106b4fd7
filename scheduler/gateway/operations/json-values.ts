import { isUtf8 } from 'node:buffer';
import { isReplyError, type ReplyValue, utf8FromLatin1 } from '#functions';

/** Text, or base64 of bytes that are no UTF-8. */
export type BytesText = string | { readonly base64: string };

/** A reply as JSON shows it. */
export type JsonValue = BytesText | number | null | { readonly error: string } | readonly JsonValue[];

/** @param bytes latin1 text. */
export function bytesText(bytes: string): BytesText {
  const buffer = Buffer.from(bytes, 'latin1');
  return isUtf8(buffer) ? buffer.toString('utf8') : { base64: buffer.toString('base64') };
}

export function jsonValue(value: ReplyValue): JsonValue {
  if (typeof value === 'string') return bytesText(value);
  if (value === null || typeof value === 'number') return value;
  if (isReplyError(value)) return { error: utf8FromLatin1(value.message) };
  return value.map(jsonValue);
}

/** The same, with texts that are JSON as what they say. */
export function parsedValue(value: JsonValue): unknown {
  if (typeof value === 'string') return parsed(value);
  return Array.isArray(value) ? (value as readonly JsonValue[]).map(parsedValue) : value;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text; // is no JSON, so it is a text
  }
}

/** An argument of a call as bytes (latin1): texts as they are, numbers and booleans as text, the rest as JSON. */
export function argumentBytes(value: unknown): string {
  if (typeof value === 'string') return Buffer.from(value).toString('latin1');
  if (isBase64(value)) return Buffer.from(value.base64, 'base64').toString('latin1');
  return Buffer.from(JSON.stringify(value) ?? 'null').toString('latin1');
}

function isBase64(value: unknown): value is { readonly base64: string } {
  if (typeof value !== 'object' || value === null) return false;
  const names = Object.keys(value);
  return names.length === 1 && names[0] === 'base64' && typeof (value as { base64: unknown }).base64 === 'string';
}
