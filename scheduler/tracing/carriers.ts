import { argOf, createCommandScan, scanCommand, scanEntries } from '#functions';
import type { Invocation, TraceContext } from '#runtime';

/** What the entries of a batch say of the traces they belong to. */
export interface Carriers {
  /** Ids of stream entries, in the order of the batch; null = these events have none. */
  readonly ids: readonly string[] | null;
  of(entry: number): TraceContext | undefined;
}

const PARENT = 'traceparent';
const STATE = 'tracestate';
/** How the field's name stands in the text of a batch. */
const PARENT_FIELD = `$${PARENT.length}\r\n${PARENT}\r\n`;
const LINE_END = 2;
const NONE = (): undefined => undefined;

/** True when at least one event may carry a trace: one look for a text, however many entries there are. */
export function mayCarry({ shape, payload, traceOf }: Invocation): boolean {
  return traceOf !== undefined || (shape === 'stream' && payload.includes(PARENT_FIELD));
}

/** Reads fields `traceparent` and `tracestate` of stream entries; of calls, what they came with. */
export function carriersOf({ shape, payload, entryCount, traceOf }: Invocation): Carriers {
  if (shape !== 'stream') return { ids: null, of: traceOf ?? NONE };
  const { ids, starts, end } = scanEntries(payload);
  if (ids.length !== entryCount) return { ids: null, of: NONE };
  return {
    ids,
    of(entry) {
      const from = starts[entry] ?? end;
      const until = starts[entry + 1] ?? end;
      const found = payload.indexOf(PARENT_FIELD, from);
      return found < 0 || found >= until ? undefined : contextIn(payload, from, ids[entry] ?? '');
    },
  };
}

/** The text may stand in a value as well: names are what comes first of each pair. */
function contextIn(payload: string, from: number, id: string): TraceContext | undefined {
  const fieldsAt = payload.indexOf(id, from) + id.length + LINE_END;
  const scan = scanCommand(payload, fieldsAt, createCommandScan());
  if (scan === null) return undefined;
  const textOf = (name: string): string | undefined => {
    for (let at = 0; at + 1 < scan.count; at += 2) {
      if (argOf(payload, scan, at) === name) return argOf(payload, scan, at + 1);
    }
    return undefined;
  };
  const traceparent = textOf(PARENT);
  const tracestate = textOf(STATE);
  if (traceparent === undefined) return undefined;
  return tracestate === undefined ? { traceparent } : { traceparent, tracestate };
}
