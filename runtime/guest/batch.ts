import type { RecordAdapter } from './captured-record.ts';
import { createKeyOrder, type KeyOrder } from './key-order.ts';
import type { NumberList } from './numbers.ts';
import { createNumberList } from './numbers.ts';
import type { Plan } from './plan.ts';
import { NativeMap, setDelete } from './primordials.ts';
import type { Stage, StageSource } from './stage.ts';

/** One entry between its start and its end. */
export interface Entry {
  readonly batch: Batch;
  readonly execution: Execution;
  readonly index: number;
  ended: boolean;
  /** Its records are under way and no binding step has seen them: counts for the cap of entries in work. */
  moving: boolean;
  /** Records of it that are under way in the present stretch of the plan. */
  live: number;
  /** A record of it reached the end of the plan, or a step that binds records together. */
  reached: boolean;
  /** A filter dropped a record of it. */
  filtered: boolean;
  /** Its records in order; only where they are needed again. */
  pieces: Piece | null;
  /** Replies it waits for, of commands and of sessions. */
  outstanding: number;
  commands: number;
  commandBytes: number;
  /** How many atomic functions without `tx` have gone on after an await. */
  strayAtomics: number;
  /** What was sent by the client that waits for it (`getCommand`); null = nobody does. */
  command: readonly unknown[] | null;
  /** What `overrideReply` was given: one RESP array of one reply. */
  override: string | null;
  /** Sessions of `atomic(tx => …)` that the node holds open for it. */
  sessions: Map<number, unknown> | null;
  previous: Entry | null;
  next: Entry | null;
  /** Of a stage: the binding steps it has passed, and the entry that began after it, of whichever batch. */
  passed: number;
  follower: Entry | null;
  /** Of a plan with keys: the key it keeps others of the same key waiting for; null = none. */
  holdsKey: string | null;
}

/** A record on its way through the plan. */
export interface Piece {
  readonly entry: Entry;
  value: unknown;
  /** What an extractor said of it; null without one. */
  key: string | null;
  /** False once it was dropped or replaced by the pieces that follow it. */
  kept: boolean;
  next: Piece | null;
}

/** One run of the plan over `size` records. */
export interface Execution {
  readonly batch: Batch;
  /** Position of the first entry, and of the one behind the last. */
  readonly first: number;
  readonly end: number;
  /** Entries without an end. */
  open: number;
  /** Entries whose records are still on their way to the first binding step. */
  gathering: number;
  /** Entries in order; only for plans that bind records together. */
  readonly entries: Entry[] | null;
  /** Index of the binding step (or the end) that its records are on their way to, once they are bound. */
  stage: number;
  /** Records that reached the first binding step. */
  gathered: number;
  /** An entry of it has failed. */
  failed: boolean;
  /** Bytes of results and log lines so far. */
  output: number;
}

/** A command whose reply is awaited. */
export interface Waiter {
  readonly entry: Entry;
  readonly raw: boolean;
  /** Called with a reply, or with a promise that is going to reject. */
  readonly resolve: (value: unknown) => void;
  readonly group: AtomicGroup | null;
  next: Waiter | null;
}

/** The commands of one writes-only `atomic`. */
export interface AtomicGroup {
  readonly entry: Entry;
  /** Promises of its commands, so that a function that returns one of them is not taken for one that awaits. */
  readonly promises: Set<unknown>;
  readonly replies: unknown[];
  count: number;
  /** Position of its last command among the owners of the batch. */
  lastOwner: number;
  failure: unknown;
  readonly resolve: (value: unknown) => void;
}

/** Commands that were sent together. */
export interface Round {
  first: Waiter | null;
  /** Text of the replies and how far it is read, once it is here. */
  text: string;
  at: number;
}

export interface Batch {
  readonly id: number;
  readonly plan: Plan;
  readonly isStream: boolean;
  /** Makes records of stream entries; null where the entries are the records. */
  readonly adapt: RecordAdapter | null;
  /** Its entries are events of keys. */
  readonly isKeys: boolean;
  /** Its entries are commands that somebody else answers when they are let through (`callNext`). */
  readonly isHook: boolean;
  /** One execution after the other. */
  readonly ordered: boolean;
  /** And none after one that failed. */
  readonly stopAtFailure: boolean;
  readonly wantResults: boolean;
  readonly executionSize: number;
  readonly entryCount: number;
  readonly key: string | Uint8Array;
  readonly hashtag: string;
  readonly payload: string;
  /** Nothing of the payload needs to be decoded, see `Parser.open`. */
  readonly ascii: boolean;
  /** The stage of a batch run that it feeds or empties; null for events. */
  readonly stage: Stage | null;
  /** What its entries are made of, for a stage. */
  readonly source: StageSource;
  /** JSON of the errors of single records of a stage. */
  stageErrors: string;
  /** Where the next entry begins in the payload, and its position. */
  at: number;
  nextIndex: number;
  execution: Execution | null;
  /** Entries that were cancelled before they began; null until there is one. */
  cancelled: Set<number> | null;
  /** Entries that have begun and not ended, oldest first. */
  firstOpen: Entry | null;
  lastOpen: Entry | null;
  open: number;
  /** Of those: the ones that wait for a reply. */
  blocked: number;
  /** Of those: the ones whose records are under way before any binding step. */
  moving: number;
  ended: number;
  // What the node has not heard yet.
  started: number;
  readonly done: NumberList;
  readonly filtered: NumberList;
  readonly failed: NumberList;
  failedJson: string;
  results: string;
  readonly resultLengths: NumberList;
  commands: string;
  readonly owners: NumberList;
  firstWaiter: Waiter | null;
  lastWaiter: Waiter | null;
  sessionsJson: string;
  logsJson: string;
  logBytes: number;
  // What was sent.
  round: number;
  readonly rounds: Map<number, Round>;
  readonly keyOrder: KeyOrder<Piece>;
  /** In the list of batches that have news. */
  dirty: boolean;
  nextDirty: Batch | null;
}

export type BatchInput = Pick<
  Batch,
  | 'id'
  | 'plan'
  | 'isStream'
  | 'adapt'
  | 'isKeys'
  | 'isHook'
  | 'ordered'
  | 'stopAtFailure'
  | 'wantResults'
  | 'executionSize'
  | 'entryCount'
  | 'key'
  | 'hashtag'
  | 'payload'
  | 'ascii'
> &
  Partial<Pick<Batch, 'stage' | 'source'>>;

export function createBatch(input: BatchInput): Batch {
  return {
    ...input,
    stage: input.stage ?? null,
    source: input.source ?? 'feed',
    stageErrors: '',
    at: 0,
    nextIndex: 0,
    execution: null,
    cancelled: null,
    firstOpen: null,
    lastOpen: null,
    open: 0,
    blocked: 0,
    moving: 0,
    ended: 0,
    started: 0,
    done: createNumberList(),
    filtered: createNumberList(),
    failed: createNumberList(),
    failedJson: '',
    results: '',
    resultLengths: createNumberList(),
    commands: '',
    owners: createNumberList(),
    firstWaiter: null,
    lastWaiter: null,
    sessionsJson: '',
    logsJson: '',
    logBytes: 0,
    round: 0,
    rounds: new NativeMap(),
    keyOrder: createKeyOrder(),
    dirty: false,
    nextDirty: null,
  };
}

/** A new entry, appended to the open ones of its batch. */
export function openEntry(batch: Batch, execution: Execution): Entry {
  const entry: Entry = {
    batch,
    execution,
    index: batch.nextIndex++,
    ended: false,
    moving: true,
    live: 1,
    reached: false,
    filtered: false,
    pieces: null,
    outstanding: 0,
    commands: 0,
    commandBytes: 0,
    strayAtomics: 0,
    command: null,
    override: null,
    sessions: null,
    previous: batch.lastOpen,
    next: null,
    passed: 0,
    follower: null,
    holdsKey: null,
  };
  if (batch.lastOpen === null) batch.firstOpen = entry;
  else batch.lastOpen.next = entry;
  batch.lastOpen = entry;
  batch.open++;
  batch.moving++;
  return entry;
}

/** Takes an entry out of the open ones. Its outstanding replies may still come and are then nobody's. */
export function closeEntry(entry: Entry): void {
  const { batch, previous, next } = entry;
  entry.ended = true;
  if (entry.holdsKey !== null) setDelete(batch.keyOrder.inWork as Set<unknown>, entry.holdsKey);
  if (previous === null) batch.firstOpen = next;
  else previous.next = next;
  if (next === null) batch.lastOpen = previous;
  else next.previous = previous;
  batch.open--;
  batch.ended++;
  entry.execution.open--;
  if (entry.outstanding > 0) batch.blocked--;
}

/** One reply more that the entry waits for. */
export function addOutstanding(entry: Entry): void {
  if (entry.outstanding++ === 0 && !entry.ended) entry.batch.blocked++;
}

export function removeOutstanding(entry: Entry): void {
  if (--entry.outstanding === 0 && !entry.ended) entry.batch.blocked--;
}
