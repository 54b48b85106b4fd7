const KILO = 1_000;
const MS_PER_MINUTE = 60_000;
const MS_PER_HOUR = 3_600_000;
const MS_PER_DAY = 86_400_000;

/** A count or a rate in at most five characters: 7, 0.4, 950, 12.3k, 1.2M. */
export function amount(value: number): string {
  if (value === 0) return '0';
  if (value < 10) return String(Math.max(0.1, Math.round(value * 10) / 10));
  if (value < KILO) return String(Math.round(value));
  const [size, unit] = value < KILO ** 2 ? [value / KILO, 'k'] : [value / KILO ** 2, 'M'];
  return `${size < 100 ? Math.round(size * 10) / 10 : Math.round(size)}${unit}`;
}

/** A time: 0.4ms, 12ms, 3.2s, 5m, 2h, 3d; a dash for none. */
export function span(ms: number | null): string {
  if (ms === null) return '-';
  if (ms < 10) return `${Math.round(ms * 10) / 10}ms`;
  if (ms < KILO) return `${Math.round(ms)}ms`;
  if (ms < MS_PER_MINUTE) return `${Math.round(ms / 100) / 10}s`;
  if (ms < MS_PER_HOUR) return `${Math.round(ms / MS_PER_MINUTE)}m`;
  return ms < MS_PER_DAY ? `${Math.round(ms / MS_PER_HOUR)}h` : `${Math.round(ms / MS_PER_DAY)}d`;
}

/** Memory by 1024: 512kb, 64mb, 1.5gb; a dash for none. */
export function memory(bytes: number | null): string {
  if (bytes === null) return '-';
  if (bytes < 2 ** 20) return `${Math.round(bytes / 2 ** 10)}kb`;
  return bytes < 2 ** 30 ? `${Math.round(bytes / 2 ** 20)}mb` : `${Math.round((bytes / 2 ** 30) * 10) / 10}gb`;
}
