/** What a value of a field may be compared with: text as it stands, numbers by their value. */
export type FilterValue = string | number;

/** What is asked of one field; everything that is given must hold. Only `exists: false` holds for a field that is not there. */
export interface FieldCondition {
  readonly is?: FilterValue;
  readonly prefix?: string;
  /** Numeric range: greater, greater or equal, less, less or equal. */
  readonly gt?: number;
  readonly gte?: number;
  readonly lt?: number;
  readonly lte?: number;
  readonly exists?: boolean;
  /** Anything but these. */
  readonly not?: readonly (FilterValue | { readonly prefix: string })[];
}

/** One name and what may be true of it: one condition is enough. */
export interface FieldRule {
  readonly name: string;
  readonly anyOf: readonly FieldCondition[];
}

/** Lists of rules: an event passes when all rules of one of the lists hold. */
export type FilterPattern = readonly (readonly FieldRule[])[];

/** Tokens of a bucket that the whole fleet shares: it holds `count`, and as many flow in per `perMs`. */
export interface RateLimit {
  readonly count: number;
  readonly perMs: number;
}

/** Which events of a registration run, and how many at a time; the same arguments for every trigger. */
export interface FlowControl {
  /** Events that it does not match end as filtered without running; null = all run. */
  readonly filter: FilterPattern | null;
  /** Most events that may start; null = as fast as it goes. */
  readonly rate: RateLimit | null;
  /** Executions that may run at once in the whole fleet; null = as many as the limits allow. */
  readonly concurrency: number | null;
  /** True: a callback names a key per record; mode `sync` then keeps order per key instead of per stream. */
  readonly keyed: boolean;
}
