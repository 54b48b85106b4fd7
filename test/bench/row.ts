import type { Goal } from './goals.ts';
import { type Spread, spreadOf } from './statistics.ts';

/** Figures of one goal, round by round. `peer` belongs to ratios, and to nothing else. */
export interface Figures {
  readonly ours: readonly number[];
  readonly peer?: readonly number[];
  /** Greatest share of a core that the load generator took in a round, ours and peers'. */
  readonly generator?: number;
}

export type Judgement = 'reached' | 'missed' | 'shown';

/** One claim of a suite, as it is printed and written to JSON. */
export interface Row {
  readonly goal: Goal;
  readonly ours: Spread;
  readonly peer: Spread | null;
  /** Ours over the peer's of the same round, so that drift of the machine falls out. */
  readonly ratio: Spread | null;
  readonly judgement: Judgement;
  readonly generator: number | null;
}

/** From here on the generator itself may be what was measured. */
const GENERATOR_LIMIT = 0.9;

export function rowOf(goal: Goal, figures: Figures): Row {
  const { ours, peer, generator = null } = figures;
  const ratio = peer ? spreadOf(ours.map((figure, round) => figure / (peer[round] ?? Number.NaN))) : null;
  const measured = (ratio ?? spreadOf(ours)).median;
  return {
    ...{ goal, ratio, generator },
    ours: spreadOf(ours),
    peer: peer ? spreadOf(peer) : null,
    judgement: judge(goal, measured),
  };
}

function judge({ atLeast, atMost }: Goal, measured: number): Judgement {
  if (atLeast === undefined && atMost === undefined) return 'shown';
  const isReached =
    measured >= (atLeast ?? Number.NEGATIVE_INFINITY) && measured <= (atMost ?? Number.POSITIVE_INFINITY);
  return isReached ? 'reached' : 'missed';
}

/** True when a run has to be called a failure for this row: times never are. */
export function failsRun(row: Row): boolean {
  return row.judgement === 'missed' && row.goal.kind !== 'time';
}

export function printed(row: Row): string {
  const { goal, ratio } = row;
  const figures = ratio ?? row.ours;
  const unit = ratio ? 'x' : ` ${goal.unit}`;
  const spread = `${short(figures.median)}${unit} (${short(figures.least)} to ${short(figures.greatest)})`;
  const absolute = row.peer ? `${short(row.ours.median)} against ${short(row.peer.median)} ${goal.unit}` : '';
  const parts = [row.judgement.padEnd(7), goal.what.padEnd(46), spread.padEnd(36), aim(goal).padEnd(10), absolute];
  return `${parts.join('  ')}${warning(row)}`.trimEnd();
}

function aim({ atLeast, atMost }: Goal): string {
  if (atLeast !== undefined) return `>= ${atLeast}`;
  return atMost === undefined ? '' : `<= ${atMost}`;
}

function warning({ generator }: Row): string {
  if (generator === null || Number.isNaN(generator)) return '';
  const share = `  generator ${generator.toFixed(2)} of a core`;
  return generator > GENERATOR_LIMIT ? `${share}: IT MAY BE THE LIMIT` : share;
}

export function short(figure: number): string {
  if (Math.abs(figure) >= 100) return Math.round(figure).toString();
  return Math.abs(figure) >= 10 ? figure.toFixed(1) : figure.toFixed(Math.abs(figure) < 1 ? 3 : 2);
}
