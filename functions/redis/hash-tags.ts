export const SLOT_COUNT = 16_384;

/** Tag of slot 0, used for every key where there are no slots. */
export const STANDALONE_TAG = '06S';

const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

const CRC_TABLE = crcTable();

function crcTable(): Uint16Array {
  const table = new Uint16Array(256);
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte << 8;
    for (let bit = 0; bit < 8; bit++) crc = crc & 0x8000 ? ((crc << 1) ^ 0x1021) & 0xffff : (crc << 1) & 0xffff;
    table[byte] = crc;
  }
  return table;
}

/** Slot of a key (latin1 text): CRC16 of the key or, where it has one, of its hash tag. */
export function slotOfKey(key: string): number {
  const open = key.indexOf('{');
  if (open >= 0) {
    const close = key.indexOf('}', open + 1);
    if (close > open + 1) return crc16(key, open + 1, close) & (SLOT_COUNT - 1);
  }
  return crc16(key, 0, key.length) & (SLOT_COUNT - 1);
}

function crc16(text: string, from: number, to: number): number {
  let crc = 0;
  for (let i = from; i < to; i++) {
    crc = ((crc << 8) & 0xffff) ^ (CRC_TABLE[((crc >> 8) ^ text.charCodeAt(i)) & 0xff] ?? 0);
  }
  return crc;
}

export interface HashTags {
  /** The shortest tag of letters and digits that hashes to `slot`. */
  tagOfSlot(slot: number): string;
}

/** Tags of all slots; the table (16,384 short strings) is computed when it is first asked for. */
export function createHashTags(): HashTags {
  let tags: readonly string[] | undefined;
  return {
    tagOfSlot(slot) {
      tags ??= computeTags();
      return tags[slot] ?? STANDALONE_TAG;
    },
  };
}

function computeTags(): readonly string[] {
  const tags: string[] = new Array<string>(SLOT_COUNT).fill('');
  let missing = SLOT_COUNT;
  let candidates = [''];
  while (missing > 0) {
    candidates = candidates.flatMap((begin) => [...ALPHABET].map((letter) => begin + letter));
    for (const tag of candidates) {
      const slot = crc16(tag, 0, tag.length) & (SLOT_COUNT - 1);
      if (tags[slot] !== '') continue;
      tags[slot] = tag;
      missing--;
    }
  }
  return tags;
}
