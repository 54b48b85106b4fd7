import { decodeReply, latin1FromUtf8 } from '#functions';
import type { DeadLetter } from '../delivery.ts';
import type { SchedulerKeys } from '../keys.ts';

/** An item that came from a list; texts are latin1. */
export interface DeadItem {
  readonly list: string;
  readonly value: string;
  /** The end that items are taken from. */
  readonly from: 'left' | 'right';
}

/** The item of a letter whose entry was taken from a list; null for entries of streams, and when nothing is left of it. */
export function deadItemOf(
  letter: Pick<DeadLetter, 'stream' | 'registrationId' | 'payload'>,
  tag: string,
  keys: Pick<SchedulerKeys, 'items'>,
): DeadItem | null {
  if (letter.stream !== keys.items(tag, latin1FromUtf8(letter.registrationId))) return null;
  const texts = decodeReply(letter.payload);
  if (!Array.isArray(texts)) return null;
  const fields = new Map<unknown, unknown>();
  for (let at = 0; at + 1 < texts.length; at += 2) fields.set(texts[at], texts[at + 1]);
  const list = fields.get('key');
  const value = fields.get('value');
  if (typeof list !== 'string' || typeof value !== 'string') return null;
  return { list, value, from: fields.get('from') === 'left' ? 'left' : 'right' };
}
