import type { Bytes, Value } from '../api/types.ts';

const COUNT = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const RATE = new Intl.NumberFormat('en', { maximumSignificantDigits: 3, notation: 'compact' });

/** 12,345; a dash where nothing is known. */
export function count(value: number | null | undefined): string {
  return value === null || value === undefined ? '–' : COUNT.format(value);
}

/** Short, for figures that change each second: 0.4, 12, 3.4K. */
export function rate(value: number | null | undefined): string {
  return value === null || value === undefined ? '–' : RATE.format(value);
}

const SPANS: readonly (readonly [name: string, ms: number])[] = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['min', 60_000],
  ['s', 1_000],
];

/** A span of time in its two greatest units: 340 ms, 2.4 s, 3 min 4 s. */
export function span(ms: number | null | undefined): string {
  if (ms === null || ms === undefined) return '–';
  if (ms < 10) return `${Math.round(ms * 10) / 10} ms`;
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${Math.round(ms / 100) / 10} s`;
  const at = SPANS.findIndex(([, size]) => ms >= size);
  const [name, size] = SPANS[at] ?? ['s', 1_000];
  const [lesser, lesserSize] = SPANS[at + 1] ?? ['s', 1_000];
  const rest = Math.floor((ms % size) / lesserSize);
  return `${Math.floor(ms / size)} ${name}${rest === 0 ? '' : ` ${rest} ${lesser}`}`;
}

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];

/** An amount of memory: 64 MiB. */
export function memory(bytes: number | null | undefined): string {
  if (bytes === null || bytes === undefined) return '–';
  const power = bytes < 1 ? 0 : Math.min(Math.floor(Math.log2(bytes) / 10), UNITS.length - 1);
  const value = bytes / 1024 ** power;
  return `${value >= 100 || power === 0 ? Math.round(value) : Math.round(value * 10) / 10} ${UNITS[power]}`;
}

/** A moment by the clock on the wall: 2026-11-25 15:43:06. */
export function moment(atMs: number): string {
  const date = new Date(atMs - new Date(atMs).getTimezoneOffset() * 60_000);
  return date.toISOString().slice(0, 19).replace('T', ' ');
}

/** 15:43:06.123, for lines of a log. */
export function clockTime(atMs: number): string {
  const date = new Date(atMs - new Date(atMs).getTimezoneOffset() * 60_000);
  return date.toISOString().slice(11, 23);
}

/** How long ago: now, 12 s ago, 3 min ago. */
export function ago(ms: number): string {
  if (ms < 2_000) return 'just now';
  const [name, size] = SPANS.find(([, least]) => ms >= least) ?? ['s', 1_000];
  return `${Math.floor(ms / size)} ${name} ago`;
}

/** Bytes for reading; what is no text is shown as base64. */
export function bytesText(bytes: Bytes): string {
  return typeof bytes === 'string' ? bytes : `base64:${bytes.base64}`;
}

/** A value of a function or a command for reading; JSON over several lines where it is a structure. */
export function valueText(value: Value): string {
  if (typeof value === 'string') return value;
  if (isBytes(value)) return bytesText(value);
  return JSON.stringify(value, null, 2) ?? 'undefined';
}

function isBytes(value: Value): value is { base64: string } {
  return typeof value === 'object' && value !== null && Object.keys(value).join() === 'base64';
}

/** Text that is JSON, indented; any other as it is. */
export function prettyText(text: string): string {
  if (!/^\s*[[{]/.test(text)) return text;
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

/** 1 entry, 2 entries. */
export function plural(amount: number, one: string, many = `${one}s`): string {
  return `${count(amount)} ${amount === 1 ? one : many}`;
}

/** A long id, such as that of an execution, by its beginning and its number: 3f9c2b…-12. */
export function shortId(id: string): string {
  return id.length <= 20 ? id : `${id.slice(0, 6)}…${id.slice(Math.max(id.lastIndexOf('-'), id.length - 8))}`;
}
