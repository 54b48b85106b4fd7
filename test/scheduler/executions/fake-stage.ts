import { decodeReply, encodeBulk, isReplyError, PlatformError, type ReplyValue } from '#functions';
import type { GuestError, StageOutput, StageRequest, StageRun } from '#runtime';

/** A record inside the fake: decoded input of the reader, then whatever steps make of it. */
type Value = unknown;

/** What a step does: with each record, and at the end of the stage. */
export interface FakeStep {
  record(value: Value): readonly Value[] | Promise<readonly Value[]>;
  end?(): readonly Value[];
}

export type FakeSteps = readonly (() => FakeStep)[];

export const fake = {
  map: (fn: (value: never) => Value) => () => ({ record: async (value: Value) => [await fn(value as never)] }),
  filter: (fn: (value: never) => unknown) => () => ({ record: (value: Value) => (fn(value as never) ? [value] : []) }),
  pass: () => ({ record: (value: Value) => [value] }),
  accumulate: (fn: (acc: never, value: never) => Value) => (): FakeStep => {
    let acc: Value = null;
    let any = false;
    return {
      record(value) {
        acc = fn(acc as never, value as never);
        any = true;
        return [];
      },
      end: () => (any ? [acc] : []),
    };
  },
  extractKey: (fn: (value: never) => string) => () => ({
    record: (value: Value) => [{ key: fn(value as never), value }],
  }),
  accumulateByKey: (fn: (key: string, acc: never, value: never) => Value) => (): FakeStep => {
    const groups = new Map<string, Value>();
    return {
      record(pair) {
        const { key, value } = pair as { key: string; value: Value };
        groups.set(key, fn(key, (groups.get(key) ?? null) as never, value as never));
        return [];
      },
      end: () => [...groups].map(([key, value]) => ({ key, value })),
    };
  },
};

export interface FakeRuntime {
  readonly openStage: (request: StageRequest) => Promise<StageRun>;
  readonly opened: StageRequest[];
}

export interface FakeOptions {
  readonly generator?: () => Iterator<Value>;
  /** Called before each piece; may throw, or wait. */
  readonly beforeFeed?: (request: StageRequest) => Promise<void> | void;
}

/** A sandbox that is none: runs steps given as functions, with the contract of `Runtime.openStage`. */
export function createFakeRuntime(steps: FakeSteps, options: FakeOptions = {}): FakeRuntime {
  const opened: StageRequest[] = [];
  return {
    opened,
    async openStage(request) {
      opened.push(request);
      const chain = steps.slice(request.firstStep, request.endStep).map((make) => make());
      const generator = options.generator?.();
      return {
        async feed(payload) {
          await options.beforeFeed?.(request);
          request.signal.throwIfAborted();
          return through(request, chain, inputsOf(request, payload));
        },
        async pull(count) {
          const values: Value[] = [];
          let done = false;
          while (values.length < count && !done) {
            const next = generator?.next() ?? { done: true, value: undefined };
            done = next.done === true;
            if (!done) values.push(next.value);
          }
          return { ...(await through(request, chain, values)), enough: done };
        },
        finish: () => {
          throw new Error('the end is asked for with drain');
        },
        async drain() {
          let out: StageOutput = { records: [], keys: [], errors: [], enough: true };
          for (let at = 0; at < chain.length; at += 1) {
            const rest = await through(request, chain.slice(at + 1), chain[at]?.end?.() ?? []);
            out = { ...out, records: [...out.records, ...rest.records], keys: [...out.keys, ...rest.keys] };
          }
          return out;
        },
        stepTimes: () => chain.map(() => 1),
        [Symbol.asyncDispose]: async () => {},
      };
    },
  };
}

async function through(
  request: StageRequest,
  chain: readonly FakeStep[],
  values: readonly Value[],
): Promise<StageOutput> {
  let now = values;
  const errors: GuestError[] = [];
  for (const step of chain) {
    const next: Value[] = [];
    for (const value of now) {
      try {
        next.push(...(await step.record(value)));
      } catch (error) {
        if (error instanceof PlatformError) throw error;
        errors.push({ code: 'GUEST_ERROR', name: 'Error', message: (error as Error).message, stack: '' });
      }
    }
    now = next;
  }
  const keys = request.output === 'partitioned' ? now.map((value) => (value as { key: string }).key) : [];
  const texts = now.map((value) => JSON.stringify(value));
  return {
    records: request.output === 'results' ? texts.map(encodeBulk) : texts,
    keys,
    errors,
    enough: errors.length > 0,
  };
}

function inputsOf({ input, key }: StageRequest, payload: string): readonly Value[] {
  const list = rowsOf(decodeReply(payload) as readonly ReplyValue[], input);
  return list.map((item) => {
    if (isReplyError(item)) throw new Error('an error among the records');
    if (input === 'records') return JSON.parse(String(item));
    if (input === 'names') return item;
    if (input === 'stream') return streamRecord(key, item as readonly ReplyValue[]);
    const [name, type, value] = item as readonly ReplyValue[];
    return { key: name, type, value: type === 'hash' ? pairs(value as readonly ReplyValue[]) : value };
  });
}

/** Keys of one type come as a list of names and one of values. */
function rowsOf(list: readonly ReplyValue[], input: StageRequest['input']): readonly ReplyValue[] {
  const [type, , names, values] = list;
  if (input !== 'keys' || typeof type !== 'string') return list;
  return (names as readonly ReplyValue[]).map((name, at) => [
    name,
    type,
    (values as readonly ReplyValue[])[at] ?? null,
  ]);
}

function streamRecord(key: string, [id, fields]: readonly ReplyValue[]): Value {
  return { key, id, value: pairs(fields as readonly ReplyValue[]) };
}

function pairs(list: readonly ReplyValue[]): Record<string, ReplyValue> {
  const record: Record<string, ReplyValue> = {};
  for (let at = 0; at < list.length; at += 2) record[String(list[at])] = list[at + 1] ?? null;
  return record;
}
