import { argumentError } from './arguments.ts';
import { structuredClone } from './clone.ts';
import { describeError, showValue } from './describe.ts';
import { guestError } from './errors.ts';
import { BARE_STEP, isThenable, type KeyedRecord, type Step, type StepType, type UserFunction } from './plan.ts';
import { bareList, isFiniteNumber, toNumber } from './primordials.ts';
import { sort } from './sort-operation.ts';
import {
  type Arguments,
  COLLECT,
  callbackStep,
  countOf,
  describeCallback,
  extract,
  functionOf,
  plain,
  REPARTITION,
  TAKE_VALUE,
  TO_GROUP,
} from './step-makers.ts';
import { structuralText } from './structure.ts';

/** An operation of the builder: its names, and the flat steps that it is made of. */
export interface Operation {
  readonly names: readonly string[];
  readonly stepsOf: (args: Arguments) => readonly Step[];
}

type Seed = (() => unknown) | null;

function accumulateStep(fn: UserFunction, seed: Seed): Step {
  return { ...callbackStep('accumulate', fn), binds: true, seed };
}

function accumulateByKey(fn: UserFunction, seed: Seed): Step {
  return { ...callbackStep('accumulatebykey', fn), binds: true, seed };
}

/** A step with a function of the runtime's own, which has no place in lists for people. */
function unnamed(step: Step): Step {
  return { ...step, arg: null };
}

/** Copies of the accumulator an aggregate begins with: what is done to one is not seen in the next. */
function seedOf(operation: string, zero: unknown): Seed {
  if (zero === undefined) throw argumentError(`${operation}: zero is missing; give what the accumulator begins with.`);
  if (zero === null || typeof zero === 'string' || typeof zero === 'number') return () => zero;
  let kept: unknown;
  try {
    kept = structuredClone(zero);
  } catch (error) {
    throw argumentError(
      `${operation}: zero must be plain data, not ${showValue(zero)}: ${describeError(error).message}`,
    );
  }
  return () => structuredClone(kept);
}

function groupBy(operation: string, args: Arguments, isLocal: boolean): readonly Step[] {
  const extractor = extract(operation, functionOf(`${operation} (extractor)`, args[0]));
  const fold = accumulateByKey(functionOf(`${operation} (reducer)`, args[1]), null);
  return isLocal ? [extractor, fold, TO_GROUP] : [extractor, REPARTITION, fold, TO_GROUP];
}

function batchGroupBy(args: Arguments): readonly Step[] {
  const extractor = extract('batchgroupby', functionOf('batchgroupby (extractor)', args[0]));
  const reducer = functionOf('batchgroupby (reducer)', args[1]);
  const own = (record: KeyedRecord): unknown => {
    const out = reducer(record.key, record.value);
    if (!isThenable(out)) return out;
    throw guestError('GUEST_ERROR', 'The reducer of batchgroupby must not be async.', 'type');
  };
  const reduce: Step = { ...BARE_STEP, type: 'reduce', own, arg: describeCallback(reducer) };
  return [extractor, REPARTITION, { ...plain('group'), binds: true }, reduce, TO_GROUP];
}

function aggregate(args: Arguments): readonly Step[] {
  const seed = seedOf('aggregate', args[0]);
  const local = functionOf('aggregate (local)', args[1]);
  const global = functionOf('aggregate (global)', args[2]);
  return [accumulateStep(local, seed), COLLECT, accumulateStep(global, seed)];
}

interface KeyedAggregate {
  readonly extractor: Step;
  readonly local: UserFunction;
  readonly global: UserFunction;
  readonly seed: Seed;
}

/** Partial accumulators of a key are combined where they came into being, and only those travel. */
function keyedAggregate({ extractor, local, global, seed }: KeyedAggregate): readonly Step[] {
  return [extractor, accumulateByKey(local, seed), REPARTITION, accumulateByKey(global, seed)];
}

function aggregateBy(args: Arguments): readonly Step[] {
  const extractor = extract('aggregateby', functionOf('aggregateby (extractor)', args[0]));
  const seed = seedOf('aggregateby', args[1]);
  const local = functionOf('aggregateby (local)', args[2]);
  const global = functionOf('aggregateby (global)', args[3]);
  return append(keyedAggregate({ extractor, local, global, seed }), TO_GROUP);
}

function append(steps: readonly Step[], last: Step): readonly Step[] {
  const all = bareList<Step>();
  for (let i = 0; i < steps.length; i++) all[i] = steps[i] as Step;
  all[steps.length] = last;
  return all;
}

const countRecord = (count: unknown): number => ((count as number | null) ?? 0) + 1;
const addCounts = (sum: unknown, count: unknown): number => ((sum as number | null) ?? 0) + (count as number);
const countOfKey = (_key: unknown, count: unknown): number => countRecord(count);
const addCountsOfKey = (_key: unknown, sum: unknown, count: unknown): number => addCounts(sum, count);
const keepFirst = (_key: unknown, first: unknown, record: unknown): unknown => first ?? record;

const COUNT: readonly Step[] = [
  unnamed(accumulateStep(countRecord, null)),
  COLLECT,
  unnamed(accumulateStep(addCounts, null)),
];

function countBy(args: Arguments): readonly Step[] {
  const given = args[0] === undefined ? null : functionOf('countby (extractor)', args[0]);
  const extractor = extract('countby', given ?? ((record: unknown) => record));
  const steps = keyedAggregate({
    extractor: given === null ? unnamed(extractor) : extractor,
    local: countOfKey,
    global: addCountsOfKey,
    seed: null,
  });
  const named = bareList<Step>();
  for (let i = 0; i < steps.length; i++) named[i] = i === 0 ? (steps[0] as Step) : unnamed(steps[i] as Step);
  return append(named, TO_GROUP);
}

function structuralKey(record: KeyedRecord): void {
  record.key = structuralText(record.value);
}

function distinct(): readonly Step[] {
  const extractor: Step = { ...BARE_STEP, type: 'extractkey', own: structuralKey };
  const fold = unnamed(accumulateByKey(keepFirst, null));
  return [extractor, fold, REPARTITION, fold, TAKE_VALUE];
}

function numberOf(value: unknown): number {
  const number = typeof value === 'string' || typeof value === 'bigint' ? toNumber(value) : value;
  if (isFiniteNumber(number) && value !== '') return number as number;
  throw guestError('GUEST_ERROR', `avg: ${showValue(value)} is no number.`, 'type');
}

type SumAndCount = readonly [sum: number, count: number];
const addToAverage = (sum: unknown, value: unknown): SumAndCount => {
  const known = (sum ?? [0, 0]) as SumAndCount;
  return [known[0] + numberOf(value), known[1] + 1];
};
const addAverages = (sum: unknown, other: unknown): SumAndCount => {
  const known = (sum ?? [0, 0]) as SumAndCount;
  return [known[0] + (other as SumAndCount)[0], known[1] + (other as SumAndCount)[1]];
};
const divide = ({ value }: KeyedRecord): number => (value as SumAndCount)[0] / (value as SumAndCount)[1];

const AVERAGE: readonly Step[] = [
  unnamed(accumulateStep(addToAverage, null)),
  COLLECT,
  unnamed(accumulateStep(addAverages, null)),
  { ...BARE_STEP, type: 'map', own: divide },
];

function avg(args: Arguments): readonly Step[] {
  if (args[0] === undefined) return AVERAGE;
  const all = bareList<Step>();
  all[0] = callbackStep('map', functionOf('avg (extractor)', args[0]));
  for (let i = 0; i < AVERAGE.length; i++) all[i + 1] = AVERAGE[i] as Step;
  return all;
}

function limit(args: Arguments): readonly Step[] {
  const count = countOf('limit', 'length', args[0]);
  const start = args[1] === undefined ? 0 : countOf('limit', 'start', args[1]);
  return [{ ...plain('limit'), binds: true, count, start, arg: `${count}, ${start}` }];
}

function perRecord(type: StepType): (args: Arguments) => readonly Step[] {
  return (args) => [callbackStep(type, functionOf(type, args[0]))];
}

/** Every operation of the builder. */
export const OPERATIONS: readonly Operation[] = [
  { names: ['map'], stepsOf: perRecord('map') },
  { names: ['flatmap', 'flatMap'], stepsOf: perRecord('flatmap') },
  { names: ['foreach', 'forEach'], stepsOf: perRecord('foreach') },
  { names: ['filter'], stepsOf: perRecord('filter') },
  { names: ['accumulate'], stepsOf: (args) => [accumulateStep(functionOf('accumulate', args[0]), null)] },
  { names: ['localgroupby', 'localGroupBy'], stepsOf: (args) => groupBy('localgroupby', args, true) },
  { names: ['groupby', 'groupBy'], stepsOf: (args) => groupBy('groupby', args, false) },
  { names: ['batchgroupby', 'batchGroupBy'], stepsOf: batchGroupBy },
  {
    names: ['repartition'],
    stepsOf: (args) => [
      extract('repartition', functionOf('repartition (extractor)', args[0])),
      REPARTITION,
      TAKE_VALUE,
    ],
  },
  { names: ['aggregate'], stepsOf: aggregate },
  { names: ['aggregateby', 'aggregateBy'], stepsOf: aggregateBy },
  { names: ['count'], stepsOf: () => COUNT },
  { names: ['countby', 'countBy'], stepsOf: countBy },
  { names: ['distinct'], stepsOf: distinct },
  { names: ['sort'], stepsOf: sort },
  { names: ['avg'], stepsOf: avg },
  { names: ['limit'], stepsOf: limit },
  { names: ['collect'], stepsOf: () => [COLLECT] },
];
