import { createFold, type Drained, type Fold } from './accumulators.ts';
import type { Batch, Entry, Piece } from './batch.ts';
import { guestError } from './errors.ts';
import { nextBinding, type Plan, type Step, type UserFunction } from './plan.ts';
import { bareList } from './primordials.ts';
import { createPuller, type Puller } from './puller.ts';
import type { Run } from './run-arguments.ts';

/** Entries of a batch of a stage: records that were sent, pulls of a generator, or what accumulators hold. */
export type StageSource = 'feed' | 'pull' | 'drain';

/** A binding step of a stage with what it has gathered. Entries pass it in their order. */
export interface Gate {
  /** Position of its step within the stage. */
  readonly at: number;
  readonly step: Step;
  /** Null for a limit. */
  readonly fold: Fold | null;
  /** The oldest entry that has not passed it; null while all that have begun have. */
  cursor: Entry | null;
  /** The record whose reducer is still to answer. */
  piece: Piece | null;
  /** Which of its promises counts: what a given-up one comes to is nobody's. */
  ticket: number;
  /** Records that a limit has seen. */
  seen: number;
}

/** One local stage of a batch run: consecutive steps over records that arrive in pieces, accumulators kept in between. */
export interface Stage {
  readonly id: number;
  readonly plan: Plan;
  readonly input: string;
  readonly output: string;
  readonly gates: readonly Gate[];
  readonly puller: Puller | null;
  /** Batches with entries that have not begun, oldest first. */
  readonly feeds: Batch[];
  /** Of the batch that is read, when its keys are all of one type: that type, and where the next name begins. */
  names: { readonly type: string; at: number } | null;
  /** The entry that began last. */
  tail: Entry | null;
  open: number;
  /** A pull is under way. */
  pulling: boolean;
  /** No further input is begun: something failed, or the generator has ended. */
  stopped: boolean;
  /** A limit wants no more of the present source. */
  full: boolean;
  /** Entries may be able to pass a gate. */
  pending: boolean;
  errors: number;
  /** Number of the gate that is being emptied; -1 while input comes. */
  draining: number;
  drained: Drained | null;
  drainedAt: number;
  /** Every accumulator has been emptied. */
  over: boolean;
}

/** As the node's `StageOpening` says it. */
export interface StageOpening {
  readonly stage: number;
  readonly runIndex: number;
  readonly firstStep: number;
  readonly endStep: number;
  readonly input: string;
  readonly output: string;
  readonly profile: boolean;
}

function planOf(run: Run, { firstStep, endStep, profile }: StageOpening): Plan {
  if (firstStep < 0 || firstStep > endStep || endStep > run.steps.length) {
    throw guestError('GUEST_ERROR', `The run has ${run.steps.length} steps, not ${firstStep} to ${endStep}.`);
  }
  const steps = bareList<Step>();
  const times = profile ? bareList<number>() : null;
  for (let i = firstStep; i < endStep; i++) {
    if (times !== null) times[i - firstStep] = 0;
    steps[i - firstStep] = run.steps[i] as Step;
  }
  const firstBinding = nextBinding(steps, 0);
  return { steps, firstBinding, binds: false, convertToStr: false, times };
}

function gatesOf({ steps }: Plan): Gate[] {
  const gates = bareList<Gate>();
  for (let at = nextBinding(steps, 0); at < steps.length; at = nextBinding(steps, at + 1)) {
    const step = steps[at] as Step;
    const fold = step.type === 'limit' ? null : createFold(step);
    gates[gates.length] = { at, step, fold, cursor: null, piece: null, ticket: 0, seen: 0 };
  }
  return gates;
}

/** Throws when the run has no such steps. */
export function createStage(run: Run, opening: StageOpening): Stage {
  const plan = planOf(run, opening);
  return {
    id: opening.stage,
    plan,
    input: opening.input,
    output: opening.output,
    gates: gatesOf(plan),
    puller: opening.input === 'generator' ? createPuller(run.generator as UserFunction) : null,
    feeds: bareList<Batch>(),
    names: null,
    tail: null,
    open: 0,
    pulling: false,
    stopped: false,
    full: false,
    pending: false,
    errors: 0,
    draining: -1,
    drained: null,
    drainedAt: 0,
    over: false,
  };
}

/** Most records of a stage that may be under way at once. */
const MAX_OPEN = 1_000;

/** Records that may be under way: no more than a limit in front still lets through. */
export function capOf({ gates, draining }: Stage): number {
  const gate = gates[0];
  if (gate === undefined || gate.fold !== null || draining >= 0) return MAX_OPEN;
  const left = gate.step.start + gate.step.count - gate.seen;
  if (left >= MAX_OPEN) return MAX_OPEN;
  return left < 1 ? 1 : left;
}

/** True when no further input is wanted. */
export function hasEnough(stage: Stage): boolean {
  return stage.stopped || (stage.full && stage.draining < 0);
}

/** JSON of what a batch has to tell of its stage; the errors of its records are told once. */
export function stageNews(batch: Batch, stage: Stage): string {
  let json = `"enough":${hasEnough(stage)},"over":${stage.over}`;
  if (batch.stageErrors !== '') json += `,"errors":[${batch.stageErrors}]`;
  batch.stageErrors = '';
  const { times } = stage.plan;
  if (times !== null) {
    json += ',"times":[';
    for (let i = 0; i < times.length; i++) json += `${i === 0 ? '' : ','}${times[i] as number}`;
    json += ']';
  }
  return `{${json}}`;
}
