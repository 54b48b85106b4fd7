import type { GOALS, SuiteName } from './goals.ts';
import { type Figures, short } from './row.ts';

/** How much a run does. */
export interface SuiteSize {
  /** Times that ours and each peer are measured, in turn. */
  readonly rounds: number;
  /** A look that takes seconds where the whole suite takes minutes. */
  readonly quick: boolean;
  /** How long the soak lasts, minutes. */
  readonly minutes: number;
}

export interface SuiteContext extends SuiteSize {
  /** A line for whoever watches. */
  report(line: string): void;
}

type GoalsOf<Name extends SuiteName> = keyof (typeof GOALS)[Name];

/** A suite answers figures for its goals; `null`: not measured in this run. */
export type Suite<Name extends SuiteName> = (context: SuiteContext) => Promise<Record<GoalsOf<Name>, Figures | null>>;

/** Measures `runs` in turn (A B A B …), so that all of them see the same machine. */
export async function alternate<Name extends string>(
  context: SuiteContext,
  title: string,
  runs: Readonly<Record<Name, () => Promise<number>>>,
): Promise<Record<Name, number[]>> {
  return await inTurn({ ...context, title, show: short }, runs);
}

export interface Turns<Found> extends SuiteContext {
  readonly title: string;
  /** What a run has found, in a few words. */
  readonly show: (found: Found) => string;
}

/** The same for runs that find more than a number. */
export async function inTurn<Name extends string, Found>(
  turns: Turns<Found>,
  runs: Readonly<Record<Name, () => Promise<Found>>>,
): Promise<Record<Name, Found[]>> {
  const { rounds, report, title, show } = turns;
  report(`  ${title}`);
  const names = Object.keys(runs) as Name[];
  const all = Object.fromEntries(names.map((name) => [name, []])) as unknown as Record<Name, Found[]>;
  for (let round = 1; round <= rounds; round += 1) {
    for (const name of names) {
      const found = await runs[name]();
      all[name].push(found);
      report(`    round ${round}/${rounds}  ${name.padEnd(24)} ${show(found)}`);
    }
  }
  return all;
}

interface WithGenerator {
  readonly generator: number;
}

/** One number of each run, ours and the peer's, and the generator's greatest share in them. */
export function pairOf<Found extends WithGenerator>(
  ours: readonly Found[],
  peer: readonly Found[],
  figure: (found: Found) => number,
): Figures {
  const generator = Math.max(...[...ours, ...peer].map((one) => one.generator));
  return { ours: ours.map(figure), peer: peer.map(figure), generator };
}
