import type { ReplyValue } from './operation.ts';

/** A record as a flat list of names and values, as `HGETALL` shows one. */
export function recordReply(record: Readonly<Record<string, ReplyValue>>): ReplyValue {
  return Object.entries(record).flat();
}

export const OK: ReplyValue = { simple: 'OK' };
