/** What a door asks before it lets a command for Redis pass. */

/** Sends a command to Redis on the client's own connection; resolves with the whole reply in the client's protocol. */
export type Pass = (args: readonly string[]) => Promise<string>;

/** What becomes of a client's command that does not simply pass. */
export interface Interception {
  /** Resolves with the reply for the client. Never rejects. */
  run(pass: Pass): Promise<string>;
}

export interface CommandIntercept {
  /** Names, lower case, of the commands that must be shown to `find`; mostly none. */
  readonly names: ReadonlySet<string>;
  /** Null: let it pass. `args` are latin1, the name first. */
  find(args: readonly string[]): Interception | null;
}
