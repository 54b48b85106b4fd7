import { argumentError } from './arguments.ts';
import { showValue } from './describe.ts';
import { withKeyTypes } from './key-types.ts';
import { OPERATIONS, type Operation } from './operations.ts';
import { nextBinding, type Plan, type Step, type UserFunction } from './plan.ts';
import { bareList, defineProperty, NativeWeakMap, reflectConstruct, weakGet, weakSet } from './primordials.ts';
import { type Reader, type RegisterArguments, readRegisterArguments } from './registration.ts';
import { RUN_ONLY_READERS, type Run, type RunReader, readRun } from './run-arguments.ts';
import { includes, listed, nearest } from './suggest.ts';

const READERS = [
  'StreamReader',
  'CommandReader',
  'KeysReader',
  'ScheduleReader',
  'ListReader',
  'PubSubReader',
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
  readonly reader: Reader | RunReader;
  readonly description: string | null;
  /** What `run` takes where its own argument is missing. */
  readonly defaultArg: unknown;
  readonly steps: Step[];
}

export interface BuilderOptions {
  /** Takes every `register(...)` call; throws when it is too late for one. */
  readonly onRegister: (registered: Registered) => void;
  /** The same for `run(...)`; what it gives is given back. */
  readonly onRun: (run: Run) => Promise<unknown> | undefined;
  /** Longest text of a result, bytes. */
  readonly outputBytes: number;
}

const ALL_READERS: readonly string[] = [...READERS, ...RUN_ONLY_READERS];

function readerOf(value: unknown): Reader | RunReader {
  const name = value === undefined ? 'KeysReader' : value;
  if (includes(ALL_READERS, name)) return name as Reader | RunReader;
  if (typeof name !== 'string')
    throw argumentError(`GearsBuilder: reader argument must be a string, not ${showValue(name)}.`);
  const near = nearest(name, ALL_READERS);
  const hint = near === null ? '' : ` Did you mean ${near}?`;
  throw argumentError(`GearsBuilder: unknown reader ${showValue(name)}.${hint} There are ${listed(ALL_READERS)}.`);
}

function finishPlan(steps: readonly Step[], convertToStr: boolean): Plan {
  const own = bareList<Step>();
  for (let i = 0; i < steps.length; i++) own[i] = steps[i] as Step;
  const firstBinding = nextBinding(own, 0);
  return { steps: own, firstBinding, binds: firstBinding < own.length, convertToStr, times: null };
}

function argTextsOf(steps: readonly Step[]): (string | null)[] {
  const texts = bareList<string | null>();
  for (let i = 0; i < steps.length; i++) texts[i] = (steps[i] as Step).arg;
  return texts;
}

function hiddenMethod(owner: object, name: string, value: UserFunction): void {
  defineProperty(owner, name, { __proto__: null, value, writable: true, configurable: true } as never);
}

/** `GearsBuilder` (also as `GB`), callable with and without `new`. */
export function createGearsBuilder({ onRegister, onRun, outputBytes }: BuilderOptions): UserFunction {
  const drafts = new NativeWeakMap<object, Draft>();
  const draftOf = (builder: object, operation: string): Draft => {
    const known = typeof builder === 'object' && builder !== null ? (weakGet(drafts, builder) as Draft) : undefined;
    if (known !== undefined) return known;
    throw argumentError(`${operation} must be called on a GearsBuilder.`);
  };

  function GearsBuilder(this: unknown, ...args: unknown[]): unknown {
    if (new.target === undefined) return reflectConstruct(GearsBuilder, args);
    const desc = args[2];
    if (desc !== undefined && desc !== null && typeof desc !== 'string') {
      throw argumentError(`GearsBuilder: desc argument must be a string, not ${showValue(desc)}.`);
    }
    const reader = readerOf(args[0]);
    const draft: Draft = { reader, description: desc ?? null, defaultArg: args[1], steps: bareList() };
    weakSet(drafts, this as object, draft);
    return this;
  }

  const prototype = GearsBuilder.prototype as object;
  for (let i = 0; i < OPERATIONS.length; i++) {
    const { names, stepsOf } = OPERATIONS[i] as Operation;
    for (let n = 0; n < names.length; n++) {
      const name = names[n] as string;
      hiddenMethod(prototype, name, function (this: object, ...args: unknown[]) {
        const { steps } = draftOf(this, name);
        const added = stepsOf(args);
        for (let at = 0; at < added.length; at++) steps[steps.length] = added[at] as Step;
        return this;
      });
    }
  }
  hiddenMethod(prototype, 'register', function (this: object, ...args: unknown[]) {
    const { reader, description, steps } = draftOf(this, 'register');
    if (!includes(READERS, reader)) {
      throw argumentError(`${reader} does not support register; call run(…), or use one of ${listed(READERS)}.`);
    }
    const checked = readRegisterArguments(reader as Reader, args);
    const unkeyed = finishPlan(withKeyTypes(steps, checked.trigger), checked.convertToStr);
    const plan: Plan = { ...unkeyed, key: checked.flow?.key ?? null };
    onRegister({ plan, reader: reader as Reader, arguments: checked, description, argTexts: argTextsOf(plan.steps) });
  });
  hiddenMethod(prototype, 'run', function (this: object, ...args: unknown[]) {
    const { reader, description, steps, defaultArg } = draftOf(this, 'run');
    return onRun(readRun({ reader, defaultArg, description, steps, args, outputBytes }));
  });
  return GearsBuilder as unknown as UserFunction;
}
