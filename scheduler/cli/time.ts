import { PlatformError } from '#functions';
import type { Reply } from './client.ts';

/** A time in ms since the epoch as people read it; null when there is none. */
export function timeOf(reply: Reply | undefined): string | null {
  const ms = typeof reply === 'string' ? Number(reply) : reply;
  if (typeof ms !== 'number' || !Number.isFinite(ms) || ms <= 0) return null;
  return new Date(ms)
    .toISOString()
    .replace('T', ' ')
    .replace(/\.\d+Z$/, 'Z');
}

const UNITS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/**
 * A moment as people give it: `15m` (that long ago), an ISO time, or ms since the epoch. Returns ms since the epoch.
 * Throws ARGUMENT_INVALID.
 */
export function parseMoment(name: string, text: string, nowMs: number): number {
  const ago = /^(\d+)([smhd])$/.exec(text);
  if (ago !== null) return nowMs - Number(ago[1]) * (UNITS[ago[2] ?? ''] ?? 0);
  const ms = /^\d+$/.test(text) ? Number(text) : Date.parse(text);
  if (Number.isSafeInteger(ms)) return ms;
  throw new PlatformError(
    'ARGUMENT_INVALID',
    `--${name} is "${text}"; allowed is a time ago such as 15m, 2h or 3d, an ISO time, or milliseconds since 1970`,
  );
}
