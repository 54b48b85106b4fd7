import {
  argumentError,
  createOptionReader,
  type OptionReader,
  type Options,
  optionsOf,
  refuseUnknown,
} from './arguments.ts';
import { showValue } from './describe.ts';
import { BARE_STEP, type Step, type UserFunction } from './plan.ts';
import { bareList, isArray } from './primordials.ts';
import { isEntryId } from './registration.ts';
import { stringifyStep } from './stringify.ts';

const MODES = ['async', 'async_local'] as const;
const COMMON = ['convertToStr', 'collect', 'mode', 'description'] as const;
const KEYS_ARGUMENTS = ['pattern', 'noScan', 'readValue', 'count', ...COMMON] as const;
const KEYS_ONLY_ARGUMENTS = ['pattern', 'noScan', 'count', ...COMMON] as const;
const STREAM_ARGUMENTS = ['key', 'fromId', 'untilId', ...COMMON] as const;

/** Readers that have no events. */
export const RUN_ONLY_READERS = ['KeysOnlyReader', 'GeneratorReader', 'PythonReader', 'ShardsIDReader'] as const;
export type RunReader = (typeof RUN_ONLY_READERS)[number] | 'KeysReader' | 'StreamReader';

/** A `run(...)` call, checked and complete; as `RunSpec` of the functions layer. */
export interface Run {
  readonly reader: 'KeysReader' | 'KeysOnlyReader' | 'StreamReader' | 'GeneratorReader' | 'ShardsIDReader';
  readonly arg: string;
  /** Where a generator reader's records come from. */
  readonly generator: UserFunction | null;
  readonly mode: string;
  readonly noScan: boolean;
  readonly readValue: boolean;
  readonly count: number;
  readonly fromId: string;
  readonly untilId: string;
  readonly description: string | null;
  readonly steps: readonly Step[];
}

export interface RunCall {
  readonly reader: string;
  readonly defaultArg: unknown;
  readonly description: string | null;
  readonly steps: readonly Step[];
  readonly args: readonly unknown[];
  readonly outputBytes: number;
}

interface ReaderForm {
  readonly reader: Run['reader'];
  /** Name of the first argument as an option; null where it has none. */
  readonly argName: string | null;
  readonly allowed: readonly string[];
}

function formOf(reader: string): ReaderForm {
  switch (reader) {
    case 'KeysReader':
      return { reader, argName: 'pattern', allowed: KEYS_ARGUMENTS };
    case 'KeysOnlyReader':
      return { reader, argName: 'pattern', allowed: KEYS_ONLY_ARGUMENTS };
    case 'StreamReader':
      return { reader, argName: 'key', allowed: STREAM_ARGUMENTS };
    case 'GeneratorReader':
    case 'PythonReader':
      return { reader: 'GeneratorReader', argName: null, allowed: COMMON };
    case 'ShardsIDReader':
      return { reader, argName: null, allowed: COMMON };
    default:
      throw argumentError(`${reader} does not support run; call register(…).`);
  }
}

interface Given {
  /** The first argument, wherever it was given. */
  readonly arg: unknown;
  readonly options: Options;
}

function givenOf(call: string, { argName, allowed }: ReaderForm, { args, defaultArg }: RunCall): Given {
  if (args.length > 2) throw argumentError(`${call}: takes at most two arguments, not ${args.length}.`);
  const first = args[0];
  const isOptions = typeof first === 'object' && first !== null && !isArray(first);
  if (isOptions && args[1] !== undefined) {
    throw argumentError(`${call}: the second argument may only follow a first one that is no object.`);
  }
  const options = optionsOf(call, isOptions ? first : args[1]);
  if (options.patternGenerator !== undefined) {
    throw argumentError(`${call}: patternGenerator does not exist here; give the pattern itself.`);
  }
  refuseUnknown(call, options, allowed);
  const named = argName === null ? undefined : options[argName];
  const direct = isOptions || first === undefined || first === null || first === '' ? undefined : first;
  if (named !== undefined && direct !== undefined) throw argumentError(`${call}: ${argName as string} is given twice.`);
  return { arg: direct ?? named ?? defaultArg, options };
}

function textArg(call: string, what: string, arg: unknown): string {
  if (typeof arg === 'string' && arg !== '') return arg;
  throw argumentError(`${call}: ${what} must be a non-empty string, not ${showValue(arg)}.`);
}

function argOf(call: string, form: ReaderForm, arg: unknown): string {
  switch (form.reader) {
    case 'StreamReader':
      if (arg === undefined) throw argumentError(`${call}: the name of the stream is missing, such as run('events').`);
      return textArg(call, 'the name of the stream', arg);
    case 'GeneratorReader':
      if (typeof arg === 'function') return '';
      throw argumentError(
        arg === undefined
          ? `${call}: the function is not given; call run(function* () { yield … }).`
          : `${call}: the argument must be a function, not ${showValue(arg)}.`,
      );
    case 'ShardsIDReader':
      if (arg === undefined || arg === '*') return '';
      throw argumentError(`${call}: takes no argument but options, not ${showValue(arg)}.`);
    default:
      return textArg(call, 'pattern', arg ?? '*');
  }
}

function idOf(call: string, read: OptionReader, name: 'fromId' | 'untilId'): string {
  const preset = name === 'fromId' ? '0-0' : '+';
  const id = read.text(name) ?? preset;
  if (id === preset || isEntryId(id)) return id;
  throw argumentError(
    `${call}: ${name} must be ${preset} or an entry id such as 1526919030474-55, not ${showValue(id)}.`,
  );
}

const COLLECT_LAST: Step = { ...BARE_STEP, type: 'collect' };

function allSteps(call: RunCall, read: OptionReader): readonly Step[] {
  const steps = bareList<Step>();
  for (let i = 0; i < call.steps.length; i++) steps[i] = call.steps[i] as Step;
  if (read.flag('convertToStr', true)) steps[steps.length] = stringifyStep(call.outputBytes);
  if (read.flag('collect', true)) steps[steps.length] = COLLECT_LAST;
  return steps;
}

/** Checks the arguments of `run` and fills in the documented defaults. Throws GUEST_ARGUMENT. */
export function readRun(run: RunCall): Run {
  const form = formOf(run.reader);
  const call = `${run.reader}.run`;
  const { arg, options } = givenOf(call, form, run);
  const read = createOptionReader(call, options);
  return {
    reader: form.reader,
    arg: argOf(call, form, arg),
    generator: form.reader === 'GeneratorReader' ? (arg as UserFunction) : null,
    mode: read.oneOf('mode', MODES, 'async'),
    noScan: read.flag('noScan', false),
    readValue: read.flag('readValue', true),
    count: read.count('count', { preset: 1_000, from: 1, to: 1_000_000 }),
    fromId: idOf(call, read, 'fromId'),
    untilId: idOf(call, read, 'untilId'),
    description: read.text('description') ?? run.description,
    steps: allSteps(run, read),
  };
}
