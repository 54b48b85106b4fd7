import { argumentError } from './arguments.ts';
import { showValue } from './describe.ts';
import { nextBinding, type Plan, type Step, type StepType, type UserFunction } from './plan.ts';
import {
  bareList,
  defineProperty,
  functionToString,
  isSafeInteger,
  NativeWeakMap,
  reflectConstruct,
  slice,
  trim,
  weakGet,
  weakSet,
} from './primordials.ts';
import { type Reader, type RegisterArguments, readRegisterArguments } from './registration.ts';
import { listed, nearest } from './suggest.ts';

const READERS = ['StreamReader', 'CommandReader'] as const;
const LATER_READERS = ['KeysReader', 'KeysOnlyReader', 'PythonReader', 'ShardsIDReader'] as const;
/** Operations that need batch runs over the whole keyspace or the cluster, with their aliases. */
const LATER_OPERATIONS = [
  'groupby',
  'groupBy',
  'batchgroupby',
  'batchGroupBy',
  'repartition',
  'aggregate',
  'aggregateby',
  'aggregateBy',
  'count',
  'countby',
  'countBy',
  'distinct',
  'sort',
  'avg',
  'run',
] as const;

/** One `register(...)` call, in order. */
export interface Registered {
  readonly plan: Plan;
  readonly reader: Reader;
  readonly arguments: RegisterArguments;
  readonly description: string | null;
  readonly argTexts: readonly (string | null)[];
}

interface Draft {
  readonly reader: Reader;
  readonly description: string | null;
  readonly steps: Step[];
}

export interface BuilderOptions {
  /** Takes every `register(...)` call; throws when it is too late for one. */
  readonly onRegister: (registered: Registered) => void;
}

function readerOf(value: unknown): Reader {
  const name = value === undefined ? 'KeysReader' : value;
  for (let i = 0; i < READERS.length; i++) if (READERS[i] === name) return READERS[i] as Reader;
  for (let i = 0; i < LATER_READERS.length; i++) {
    if (LATER_READERS[i] !== name) continue;
    throw argumentError(
      `GearsBuilder: ${LATER_READERS[i]} comes in a later version; there are ${listed(READERS)} now.`,
    );
  }
  if (typeof name !== 'string')
    throw argumentError(`GearsBuilder: reader argument must be a string, not ${showValue(name)}.`);
  const near = nearest(name, READERS);
  const hint = near === null ? '' : ` Did you mean ${near}?`;
  throw argumentError(`GearsBuilder: unknown reader ${showValue(name)}.${hint} There are ${listed(READERS)}.`);
}

function functionOf(operation: string, value: unknown): UserFunction {
  if (typeof value === 'function') return value as UserFunction;
  throw argumentError(`${operation}: the argument must be a function, not ${showValue(value)}.`);
}

function countOf(operation: string, name: string, value: unknown): number {
  if (isSafeInteger(value) && (value as number) >= 0) return value as number;
  throw argumentError(`${operation}: ${name} must be a whole number from 0, not ${showValue(value)}.`);
}

/** Name or begin of a callback, for people. */
function describeCallback(fn: UserFunction | null): string | null {
  if (fn === null) return null;
  try {
    const name = (fn as { name?: unknown }).name;
    if (typeof name === 'string' && name !== '') return slice(name, 0, 80);
    return trim(slice(functionToString(fn), 0, 80));
  } catch {
    return null;
  }
}

const BARE_STEP = { binds: false, fn: null, reduce: null, count: 0, start: 0 } as const;

function stepOf(type: StepType, args: readonly unknown[]): Step {
  switch (type) {
    case 'collect':
      return { ...BARE_STEP, type };
    case 'limit': {
      const count = countOf(type, 'length', args[0]);
      const start = args[1] === undefined ? 0 : countOf(type, 'start', args[1]);
      return { ...BARE_STEP, type, binds: true, count, start };
    }
    case 'localgroupby': {
      const fn = functionOf(`${type} (extractor)`, args[0]);
      return { ...BARE_STEP, type, binds: true, fn, reduce: functionOf(`${type} (reducer)`, args[1]) };
    }
    default:
      return { ...BARE_STEP, type, binds: type === 'accumulate', fn: functionOf(type, args[0]) };
  }
}

const OPERATIONS: readonly (readonly [string, StepType])[] = [
  ['map', 'map'],
  ['flatmap', 'flatmap'],
  ['flatMap', 'flatmap'],
  ['foreach', 'foreach'],
  ['forEach', 'foreach'],
  ['filter', 'filter'],
  ['accumulate', 'accumulate'],
  ['localgroupby', 'localgroupby'],
  ['localGroupBy', 'localgroupby'],
  ['limit', 'limit'],
  ['collect', 'collect'],
];

function finishPlan(steps: readonly Step[], convertToStr: boolean): Plan {
  const own = bareList<Step>();
  for (let i = 0; i < steps.length; i++) own[i] = steps[i] as Step;
  const firstBinding = nextBinding(own, 0);
  return { steps: own, firstBinding, binds: firstBinding < own.length, convertToStr };
}

function argTextsOf(steps: readonly Step[]): (string | null)[] {
  const texts = bareList<string | null>();
  for (let i = 0; i < steps.length; i++) {
    const step = steps[i] as Step;
    texts[i] = step.type === 'limit' ? `${step.count}, ${step.start}` : describeCallback(step.fn);
  }
  return texts;
}

/** `GearsBuilder` (also as `GB`), callable with and without `new`. */
export function createGearsBuilder({ onRegister }: BuilderOptions): UserFunction {
  const drafts = new NativeWeakMap<object, Draft>();
  const draftOf = (builder: object, operation: string): Draft => {
    const known = typeof builder === 'object' && builder !== null ? (weakGet(drafts, builder) as Draft) : undefined;
    if (known !== undefined) return known;
    throw argumentError(`${operation} must be called on a GearsBuilder.`);
  };

  function GearsBuilder(this: unknown, ...args: unknown[]): unknown {
    if (new.target === undefined) return reflectConstruct(GearsBuilder, args);
    // The second argument, defaultArg, is for `run`.
    const desc = args[2];
    if (desc !== undefined && desc !== null && typeof desc !== 'string') {
      throw argumentError(`GearsBuilder: desc argument must be a string, not ${showValue(desc)}.`);
    }
    const draft: Draft = { reader: readerOf(args[0]), description: desc ?? null, steps: bareList() };
    weakSet(drafts, this as object, draft);
    return this;
  }

  const method = (name: string, value: UserFunction): void => {
    const hidden = { __proto__: null, value, writable: true, configurable: true };
    defineProperty(GearsBuilder.prototype as object, name, hidden as never);
  };
  for (let i = 0; i < OPERATIONS.length; i++) {
    const operation = OPERATIONS[i] as readonly [string, StepType];
    method(operation[0], function (this: object, ...args: unknown[]) {
      const { steps } = draftOf(this, operation[0]);
      steps[steps.length] = stepOf(operation[1], args);
      return this;
    });
  }
  for (let i = 0; i < LATER_OPERATIONS.length; i++) {
    const name = LATER_OPERATIONS[i] as string;
    method(name, () => {
      throw argumentError(`${name} comes with batch runs in a later version; register(…) reacts to events now.`);
    });
  }
  method('register', function (this: object, ...args: unknown[]) {
    const { reader, description, steps } = draftOf(this, 'register');
    const checked = readRegisterArguments(reader, args);
    const plan = finishPlan(steps, checked.convertToStr);
    onRegister({ plan, reader, arguments: checked, description, argTexts: argTextsOf(steps) });
  });
  return GearsBuilder as unknown as UserFunction;
}
