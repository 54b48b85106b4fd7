/** The log and other names of the surroundings. */
export {};

declare global {
  /**
   * What stands behind the file in `regears run <file> [arguments...]`. There in scripts of that command only.
   * @example
   * const [least = '10'] = scriptArguments;
   * GB().filter((r) => Number(r.value.age) >= Number(least)).run('person:*');
   */
  const scriptArguments: readonly string[];

  /**
   * Writes a line to the function's log (`regears logs <function>`). Default level `notice`. `console.*` writes there too.
   * @example
   * log(`no user in ${r.id}`, 'warning');
   */
  function log(message: string, level?: 'debug' | 'verbose' | 'notice' | 'warning'): void;

  /** Lines for the function's log (`regears logs <function>`); `log` takes a level as well. */
  interface Console {
    /**
     * Level `notice`.
     * @example
     * console.log('no user in', r.id);
     */
    log(...values: unknown[]): void;
    /** The same as `log`. */
    info(...values: unknown[]): void;
    /**
     * Level `debug`.
     * @example
     * console.debug(r.value);
     */
    debug(...values: unknown[]): void;
    /**
     * Level `warning`.
     * @example
     * console.warn(`order ${r.id} has no item`);
     */
    warn(...values: unknown[]): void;
    /** The same as `warn`. */
    error(...values: unknown[]): void;
  }

  /** @see Console */
  var console: Console;
}
