/** Median, least and greatest of some figures. */
export interface Spread {
  readonly median: number;
  readonly least: number;
  readonly greatest: number;
}

export function spreadOf(figures: readonly number[]): Spread {
  const sorted = figures.toSorted((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  const low = sorted[Math.floor(middle)] ?? Number.NaN;
  const high = sorted[Math.ceil(middle)] ?? Number.NaN;
  return { median: (low + high) / 2, least: sorted[0] ?? Number.NaN, greatest: sorted.at(-1) ?? Number.NaN };
}

/** One claim of a suite: our figure over a peer's, round by round, and what it has to reach. */
export interface RatioRow {
  readonly what: string;
  readonly ours: Spread;
  readonly peer: Spread;
  readonly ratio: Spread;
  /** `atLeast` for rates, `atMost` for times. */
  readonly goal: { readonly atLeast: number } | { readonly atMost: number };
  readonly reached: boolean;
  readonly unit: string;
}

export interface RatioInput {
  readonly what: string;
  readonly ours: readonly number[];
  readonly peer: readonly number[];
  readonly goal: RatioRow['goal'];
  readonly unit: string;
}

/** Pairs the rounds (A B A B …) so that drift of the machine falls out of the ratio. */
export function ratioRow(input: RatioInput): RatioRow {
  const ratio = spreadOf(input.ours.map((figure, round) => figure / (input.peer[round] ?? Number.NaN)));
  const reached = 'atLeast' in input.goal ? ratio.median >= input.goal.atLeast : ratio.median <= input.goal.atMost;
  return {
    what: input.what,
    ours: spreadOf(input.ours),
    peer: spreadOf(input.peer),
    ratio,
    goal: input.goal,
    reached,
    unit: input.unit,
  };
}
