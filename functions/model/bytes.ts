import { PlatformError } from '../errors.ts';

const UNIT_BYTES = { b: 1, kb: 1024, mb: 1024 ** 2, gb: 1024 ** 3, tb: 1024 ** 4 } as const;
const PATTERN = /^(\d+(?:\.\d+)?)\s*(b|kb|mb|gb|tb)?$/i;

/**
 * Bytes of `64mb`, `1.5gb`, `512kb`, `100b`; a bare number is bytes. Units are powers of 1024, as in redis.conf.
 * Errors: ARGUMENT_INVALID.
 */
export function parseBytes(text: string): number {
  const match = PATTERN.exec(text.trim());
  const unit = (match?.[2]?.toLowerCase() ?? 'b') as keyof typeof UNIT_BYTES;
  const bytes = match === null ? Number.NaN : Math.round(Number(match[1]) * UNIT_BYTES[unit]);
  if (Number.isSafeInteger(bytes)) return bytes;
  throw new PlatformError(
    'ARGUMENT_INVALID',
    `"${text}" is no size; write a number with b, kb, mb, gb or tb, such as 512kb or 64mb`,
    { details: { value: text } },
  );
}

/** Shortest text that `parseBytes` turns back into the same number. */
export function formatBytes(bytes: number): string {
  for (const unit of ['tb', 'gb', 'mb', 'kb'] as const) {
    if (bytes > 0 && bytes % UNIT_BYTES[unit] === 0) return `${bytes / UNIT_BYTES[unit]}${unit}`;
  }
  return `${bytes}b`;
}
