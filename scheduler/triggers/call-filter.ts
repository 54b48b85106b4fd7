import { argOf, createCommandScan, type RegistrationSpec, scanCommand } from '#functions';
import { eventFilterOf } from '../consumer/event-filter.ts';

/** Compares calls with a filter: names of the pattern are positions of arguments, as in the record. */
export type CallFilter = (args: string) => boolean;

/** Null for registrations without a filter. The function takes one RESP array, the trigger's name first. */
export function callFilterOf(spec: RegistrationSpec): CallFilter | null {
  const filter = eventFilterOf(spec);
  if (filter === null) return null;
  const positions = filter.fields.map(Number);
  const scan = createCommandScan();
  return (args) => {
    if (scanCommand(args, 0, scan) === null) return false;
    return filter.accepts(positions.map((at) => (at < scan.count ? argOf(args, scan, at) : undefined)));
  };
}
