import type { StreamRecord } from './parse.ts';
import { toNumber } from './primordials.ts';

/** Makes the record a function sees from the entry in which the platform keeps a captured event. */
export type RecordAdapter = (entry: StreamRecord) => unknown;

function tickRecord({ value }: StreamRecord): unknown {
  return {
    schedule: value.schedule,
    at: toNumber(value.at),
    tick: toNumber(value.tick),
    late: toNumber(value.late),
  };
}

function itemRecord({ value }: StreamRecord): unknown {
  return { key: value.key, value: value.value };
}

function messageRecord({ value }: StreamRecord): unknown {
  return { channel: value.channel, pattern: value.pattern === '' ? null : value.pattern, message: value.message };
}

/** Null: entries are the records. */
export function recordAdapterOf(reader: string): RecordAdapter | null {
  switch (reader) {
    case 'ScheduleReader':
      return tickRecord;
    case 'ListReader':
      return itemRecord;
    case 'PubSubReader':
      return messageRecord;
    default:
      return null;
  }
}
