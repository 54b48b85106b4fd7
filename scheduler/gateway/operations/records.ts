import type { ReplyValue } from './operation.ts';

/** A record as a flat list of names and values, as `HGETALL` shows one. */
export function recordReply(record: Readonly<Record<string, ReplyValue>>): ReplyValue {
  return Object.entries(record).flat();
}

export const OK: ReplyValue = { simple: 'OK' };

/** Plain data as a reply: records as flat lists, a double as text and a truth as 1 or 0, as RESP2 has neither. */
export function treeReply(data: unknown): ReplyValue {
  if (typeof data === 'boolean') return data ? 1 : 0;
  if (typeof data === 'number') return Number.isSafeInteger(data) ? data : String(data);
  if (typeof data === 'string') return data;
  if (Array.isArray(data)) return (data as readonly unknown[]).map(treeReply);
  if (typeof data !== 'object' || data === null) return null;
  return Object.entries(data).flatMap(([name, value]) => [name, treeReply(value)]);
}
