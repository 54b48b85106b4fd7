/** The log and other names of the surroundings. */
export {};

declare global {
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
