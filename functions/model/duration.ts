import { PlatformError } from '../errors.ts';

const UNIT_MS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const PATTERN = /^(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)?$/i;

/**
 * Milliseconds of `500ms`, `5s`, `1.5m`, `2h`, `7d`; a bare number is milliseconds. The result is a whole number.
 * Errors: ARGUMENT_INVALID.
 */
export function parseDuration(text: string): number {
  const match = PATTERN.exec(text.trim());
  const unit = (match?.[2]?.toLowerCase() ?? 'ms') as keyof typeof UNIT_MS;
  const valueMs = match === null ? Number.NaN : Math.round(Number(match[1]) * UNIT_MS[unit]);
  if (Number.isSafeInteger(valueMs)) return valueMs;
  throw new PlatformError(
    'ARGUMENT_INVALID',
    `"${text}" is no duration; write a number with ms, s, m, h or d, such as 500ms or 5s`,
    { details: { value: text } },
  );
}

/** Shortest text that `parseDuration` turns back into the same milliseconds. */
export function formatDuration(durationMs: number): string {
  for (const unit of ['d', 'h', 'm', 's'] as const) {
    if (durationMs > 0 && durationMs % UNIT_MS[unit] === 0) return `${durationMs / UNIT_MS[unit]}${unit}`;
  }
  return `${durationMs}ms`;
}
