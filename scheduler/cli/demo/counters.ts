import { cellOf, type DoorClient, fieldsOf, listOf } from '../client.ts';
import type { SampleLog } from './sample-log.ts';

/** A counter that the example functions keep, as the demo shows it. */
export interface Counter {
  readonly label: string;
  readonly value: number;
}

/** Reads the counters of the sample; the list is the same at every call, only the values grow. */
export interface CounterReader {
  read(): Promise<readonly Counter[]>;
  /** Log lines and clicks that the functions have counted. */
  counted(): Promise<number>;
}

const SHOWN_PATHS = ['/', '/products', '/products/kettle', '/checkout'];
const SHOWN_USERS = 3;

export function createCounterReader(door: DoorClient, sample: SampleLog): CounterReader {
  const users = [...new Set(sample.clicks.map((click) => click.user))].sort();
  const statuses = [...new Set(sample.lines.map((line) => / (\d{3}) \d+ "/.exec(line)?.[1] ?? ''))].sort();
  const numbers = async (command: readonly string[]): Promise<readonly number[]> =>
    listOf(await door.call(command[0] ?? '', ...command.slice(1))).map((reply) => Number(cellOf(reply) ?? 0));
  const clicksOf = async (user: string): Promise<number> => sum(await numbers(['HVALS', `clicks:${user}`]));
  return {
    read: async () => {
      const shown = users.slice(0, SHOWN_USERS);
      const [byStatus, byPath, byUser] = await Promise.all([
        numbers(['HMGET', 'log:status', ...statuses]),
        numbers(['HMGET', 'log:path', ...SHOWN_PATHS]),
        Promise.all(shown.map(clicksOf)),
      ]);
      const rows = (kind: string, names: readonly string[], values: readonly number[]): Counter[] =>
        names.map((name, at) => ({ label: `${kind} ${name}`, value: values[at] ?? 0 }));
      return [
        ...rows('status', statuses, byStatus),
        ...rows('path', SHOWN_PATHS, byPath),
        ...rows('clicks of', shown, byUser),
      ];
    },
    counted: async () => {
      const statusCounts = Object.values(fieldsOf(await door.call('HGETALL', 'log:status'))).map(Number);
      return sum(statusCounts) + sum(await Promise.all(users.map(clicksOf)));
    },
  };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
