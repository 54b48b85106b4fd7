/** Where a command has its keys and what it does, as the server's own COMMAND reply tells. */
export interface CommandFacts {
  /** Lower case. */
  readonly name: string;
  /** 1-based positions as COMMAND gives them; 0 = no keys. */
  readonly firstKey: number;
  readonly lastKey: number;
  readonly step: number;
  /** Lower-case flags: `write`, `readonly`, `admin`, `noscript`, `blocking`, `movablekeys`, `pubsub`, … */
  readonly flags: ReadonlySet<string>;
  /** The server's advice to clients of a cluster, as it words it (`all_shards`; `agg_sum`); null = none. */
  readonly requestPolicy: string | null;
  readonly responsePolicy: string | null;
}

export interface CommandTable {
  /** Looks a command up by name (any case); for container commands `sub` is looked up first. Undefined = the server has none. */
  find(name: string, sub?: string): CommandFacts | undefined;
  /**
   * The keys among `args` (command name first), also for commands with movable keys (EVAL, XREAD, SORT … STORE, ZUNION …),
   * computed here without asking the server. Empty for commands without keys or unknown ones.
   */
  keysOf(args: readonly string[]): readonly string[];
}
