import { bytesOfBinary } from './encode.ts';
import { createJsonWriter } from './json.ts';
import { BARE_STEP, type KeyedRecord, type Step } from './plan.ts';
import { toText } from './primordials.ts';
import { bytesOfString } from './text.ts';

/**
 * Text that `convertToStr` made of a value that was none: goes to the client as it is, without the rule by which strings
 * that begin with + or - become simple strings and errors.
 */
export class Verbatim {
  /** latin1. */
  readonly bytes: string;

  constructor(bytes: string) {
    this.bytes = bytes;
  }
}

/** What `convertToStr` makes of a record: strings and bytes stay, everything else becomes its text, objects their JSON. */
function textOf(value: unknown, outputBytes: number): unknown {
  switch (typeof value) {
    case 'string':
      return value;
    case 'number':
    case 'bigint':
    case 'boolean':
      return new Verbatim(toText(value));
    case 'object': {
      if (value === null) break;
      if (bytesOfBinary(value) !== undefined) return value;
      const budget = { left: outputBytes, limit: outputBytes };
      return new Verbatim(bytesOfString(createJsonWriter(budget).write(value, null) ?? 'null'));
    }
  }
  return new Verbatim('null');
}

/** The step that `convertToStr` adds. @param outputBytes longest text of a record. */
export function stringifyStep(outputBytes: number): Step {
  return { ...BARE_STEP, type: 'stringify', own: ({ value }: KeyedRecord) => textOf(value, outputBytes) };
}
