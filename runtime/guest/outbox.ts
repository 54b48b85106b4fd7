import type { GuestNews, OutboxFields, ToldNews } from './api.ts';
import { typedArrayBytes, typedArraySet } from './primordials.ts';

const FIELD: OutboxFields = { batch: 6, count: 7, numbers: 8 };
const BYTES_PER_NUMBER = 4;

/**
 * Hands news over. Copying arrays out of an isolate costs more than all else of a small call: so the numbers of one batch go
 * into memory that the sandbox process sees too, when they fit, and only the text is copied.
 */
export function createOutbox(shared: Uint32Array): (news: ToldNews) => GuestNews {
  const capacity = typedArrayBytes(shared) / BYTES_PER_NUMBER - FIELD.numbers;
  return (news) => {
    if (news.length !== 5 || news[0] !== 0 || typedArrayBytes(news[3] as Uint32Array) > 0) return news;
    const numbers = news[2] as Uint32Array;
    const count = typedArrayBytes(numbers) / BYTES_PER_NUMBER;
    if (count > capacity) return news;
    shared[FIELD.batch] = news[1] as number;
    shared[FIELD.count] = count;
    typedArraySet(shared, numbers, FIELD.numbers);
    return news[4] as string;
  };
}
