/**
 * What each suite measures, and what it is to reach. The only place where goals stand; docs/benchmarks.md shows the same.
 *
 * - `ratio`: our figure over the peer's of the same round. These decide whether a run has reached its goals.
 * - `amount`: memory, or a share of a core. These decide, too.
 * - `time`: shown beside its goal and judged by nobody: a slower machine is not a slower program.
 */
export type GoalKind = 'ratio' | 'amount' | 'time';

/** At least or at most so much; neither: shown for comparison only. */
export interface Goal {
  readonly kind: GoalKind;
  readonly what: string;
  readonly unit: string;
  readonly atLeast?: number;
  readonly atMost?: number;
}

const ENTRIES = 'entries/s';
const CALLS = 'calls/s';
const RECORDS = 'records/s';
const COST = 'us/entry';

const rate = (what: string, unit: string, atLeast?: number): Goal => ({
  ...{ kind: 'ratio', what, unit },
  ...(atLeast === undefined ? {} : { atLeast }),
});
const slower = (what: string, unit: string, atMost?: number): Goal => ({
  ...{ kind: 'ratio', what, unit },
  ...(atMost === undefined ? {} : { atMost }),
});
const time = (what: string, atMost?: number): Goal => ({
  ...{ kind: 'time', what, unit: 'ms' },
  ...(atMost === undefined ? {} : { atMost }),
});
const amount = (what: string, unit: string, atMost: number): Goal => ({ kind: 'amount', what, unit, atMost });

export const GOALS = {
  streams: {
    none1000: rate('no work, batch 1000 / prefetching', ENTRIES, 1.7),
    none100: rate('no work, batch 100 / prefetching', ENTRIES, 1.7),
    noneNaive: rate('no work, batch 100 / naive', ENTRIES),
    noneThreads: rate('no work, batch 100 / worker_threads', ENTRIES),
    noneProcesses: rate('no work, batch 100 / child_process pool', ENTRIES),
    write: rate('one write / pipelined', ENTRIES, 1.3),
    writeNaive: rate('one write / naive', ENTRIES),
    writeBullmq: rate('one write / BullMQ, concurrency 50', ENTRIES, 8),
    writeBullmqOne: rate('one write / BullMQ, concurrency 1', ENTRIES),
    dependent: rate('write after read / pipelined, two rounds', ENTRIES, 1.2),
    batch1: rate('batch 1, journalled / prefetching', ENTRIES, 0.6),
    large: rate('64 kB payloads / prefetching', ENTRIES, 1),
    mixed: rate('1 kB text and binary / prefetching', ENTRIES, 1),
  },
  latency: {
    oneP50: slower('one at a time, p50 / pipelined', 'ms', 1.3),
    oneP99: slower('one at a time, p99 / pipelined', 'ms'),
    ratedP50: slower('at 10 k/s, p50 / pipelined', 'ms', 1.3),
    ratedP99: slower('at 10 k/s, p99 / pipelined', 'ms'),
    ratedP99Ms: time('at 10 k/s, p99', 1),
  },
  commands: {
    one: rate('1 client / FCALL', CALLS),
    fifty: rate('50 clients / FCALL', CALLS, 0.55),
    pipelined: rate('50 clients, pipelined by 16 / FCALL', CALLS, 0.5),
    fiftyRelay: rate('50 clients / FCALL through a TCP relay', CALLS),
    pipelinedRelay: rate('50 clients, pipelined by 16 / FCALL through a TCP relay', CALLS),
    oneMs: time('1 client, p50', 0.2),
  },
  door: {
    get: rate('GET, 50 clients / TCP relay', CALLS, 0.9),
    set: rate('SET, 50 clients / TCP relay', CALLS, 0.9),
    getPipelined: rate('GET, pipelined by 16 / TCP relay', CALLS, 0.9),
    setPipelined: rate('SET, pipelined by 16 / TCP relay', CALLS, 0.9),
    direct: rate('GET, 50 clients / Redis itself', CALLS),
    directPipelined: rate('GET, pipelined by 16 / Redis itself', CALLS),
  },
  batch: {
    adults: rate('map, filter, count / SCAN + pipeline', RECORDS, 2.5),
    families: rate('countby / SCAN + pipeline', RECORDS, 2.5),
  },
  'fan-out': {
    streams100: slower('CPU, 100 streams / 1 stream', COST, 1.25),
    streams10000: slower('CPU, 10,000 streams / 1 stream', COST, 1.25),
    registrations100: slower('CPU, 100 registrations / 1', COST, 1.25),
    registrations1000: slower('CPU, 1,000 registrations / 1', COST, 1.25),
    streams100Last: slower('until the last entry, 100 streams / 1', COST),
    streams10000Last: slower('until the last entry, 10,000 streams / 1', COST),
    registrations100Last: slower('until the last entry, 100 registrations / 1', COST),
    registrations1000Last: slower('until the last entry, 1,000 registrations / 1', COST),
  },
  start: {
    p99Ms: time('first call, p99', 5),
    p50Ms: time('first call, p50'),
    thread: slower('first call, p50 / new worker_threads', 'ms'),
    process: slower('first call, p50 / new child_process', 'ms'),
  },
  idle: {
    cpu: amount('1,000 functions, no events', '% of a core', 1),
    unloaded: amount('a function that is not loaded', 'kB', 50),
    loaded: amount('a loaded function', 'kB', 1_500),
    evicted: amount('many functions called in turn, failed calls', 'calls', 0),
  },
  recovery: {
    sandbox: time('sandbox killed, first re-run, async_local', 250),
    sandboxSync: time('sandbox killed, first re-run, sync', 250),
    sandboxAsync: time('sandbox killed, first re-run, async', 250),
    node: time('node killed, first re-run, async_local', 5_000),
    nodeSync: time('node killed, first re-run, sync', 5_000),
    nodeAsync: time('node killed, first re-run, async', 5_000),
  },
  soak: {
    memory: { kind: 'amount', what: 'resident memory, end / start', unit: 'x', atMost: 1.05 },
    p99: { kind: 'amount', what: 'p99, end / start', unit: 'x', atMost: 1.2 },
  },
} as const satisfies Readonly<Record<string, Readonly<Record<string, Goal>>>>;

export type SuiteName = keyof typeof GOALS;
