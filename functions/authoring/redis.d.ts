/** What reaches Redis from within a function. */
export {};

declare global {
  /** What a Redis command takes; numbers and booleans are sent as text. */
  type CommandArgument = string | number | bigint | boolean | Uint8Array | ArrayBuffer;

  /** What Redis answers: text, numbers, lists, nothing. Text that is not UTF-8 arrives as `Uint8Array`. */
  type Reply = string | number | Uint8Array | null | readonly Reply[];

  /**
   * Sends a command to Redis and resolves with its reply; an error reply rejects. Commands that block, change the connection
   * or administer the server, and keys of the platform itself, are refused.
   */
  interface Execute {
    /**
     * @example
     * const n = await execute('HINCRBY', `clicks:{${user}}`, page, 1);
     * const [name, mail] = await execute<string[]>('HMGET', 'user:1', 'name', 'mail');
     */
    <R = Reply>(command: string, ...args: readonly CommandArgument[]): Promise<R>;
    /**
     * The same; text in the reply is bytes, whatever it holds.
     * @example
     * const image = await execute.raw<Uint8Array>('GET', 'image:1');
     */
    raw<R = RawReply>(command: string, ...args: readonly CommandArgument[]): Promise<R>;
  }

  /** What `execute.raw` answers: text is bytes, whatever it holds. */
  type RawReply = number | Uint8Array | null | readonly RawReply[];

  /** @see Execute */
  const execute: Execute;

  /** What the function given to `atomic` gets, to read before it writes. */
  interface Transaction {
    /**
     * A command that reads runs at once, its keys watched; one that writes is queued and answered with all the others.
     * @example
     * const left = Number(await tx.execute('GET', 'stock')); if (left > 0) tx.execute('DECR', 'stock');
     */
    execute: Execute;
  }

  /**
   * Makes the commands of a function happen as one transaction, and resolves with the replies of its writes. All keys must
   * share a slot on a cluster: use hash tags.
   */
  interface Atomic {
    /**
     * Reads and writes: when somebody changes what was read before the writes are made, `fn` runs again, a bounded number of
     * times, then it is an error.
     * @example
     * await atomic(async (tx) => {
     *   const balance = Number(await tx.execute('GET', 'account:{7}'));
     *   if (balance < 10) throw new Error('not enough');
     *   tx.execute('SET', 'account:{7}', balance - 10);
     *   tx.execute('RPUSH', 'payments:{7}', 10);
     * });
     */
    (fn: (tx: Transaction) => Promise<unknown>): Promise<readonly Reply[]>;
    /**
     * Writes only, told by `fn` having no parameter: every `execute` called before `fn` returns or first awaits is part of
     * one MULTI/EXEC. What `fn` throws takes all of them back.
     * @example
     * await atomic(() => { execute('INCR', 'n:{a}'); execute('SADD', 's:{a}', id); });
     */
    (fn: () => unknown): Promise<readonly Reply[]>;
  }

  /** @see Atomic */
  const atomic: Atomic;

  /**
   * Whether an `execute` called now is part of a transaction: within the function given to `atomic`, until it returns or first
   * awaits.
   * @example
   * const note = (key) => (isInAtomicBlock() ? execute('INCR', key) : atomic(() => execute('INCR', key)));
   */
  function isInAtomicBlock(): boolean;

  /**
   * In a hook: hands the command on, with these arguments (its name not among them), to the next hook or to Redis; the reply.
   * @example
   * GB('CommandReader').map(async (a) => (await callNext(...a.slice(1))) ?? 'none').register({ hook: 'get', mode: 'sync' });
   */
  function callNext(...args: readonly CommandArgument[]): Promise<Reply>;

  /**
   * With `commands`: what the waiting client gets instead of its command's reply. Only the first call of an event counts, a second
   * is an error. Strings that begin with `+` or `-` are simple strings and errors.
   * @example
   * GB().foreach(async (r) => overrideReply(await lookUp(r.key))).register({ eventTypes: ['keymiss'], commands: ['get'] });
   */
  function overrideReply(value: unknown): void;

  /**
   * With `commands`: the client's command, its name first.
   * @example
   * const [name, ...args] = getCommand();
   */
  function getCommand(): (string | Uint8Array)[];

  /**
   * A short text that, in braces, makes a key live on the shard of the present event.
   * @example
   * await execute('INCR', `events:{${hashtag()}}`);
   */
  function hashtag(): string;
}
