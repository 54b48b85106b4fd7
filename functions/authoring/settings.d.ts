/** What a version asks for, and what it reads of its settings. */
export {};

declare global {
  /**
   * What a version allows itself. A limit may be lowered at will, and raised up to what the platform allows; crossing one is
   * an error that names it. What is left out is as everywhere.
   */
  interface Configuration {
    /**
     * Limits of this version. Sizes are texts such as `'64mb'` or bytes, times texts such as `'500ms'` or milliseconds.
     * @example
     * configure({ limits: { memory: '64mb', call: '200ms', execution: '10s', commands: 100 } });
     */
    limits?: {
      /** Memory of the function, `8mb` at least. Setting `limit-memory`. */
      memory?: string | number;
      /** Longest stretch of code without awaiting anything. Setting `limit-call-ms`. */
      call?: string | number;
      /** The same as `call`. */
      callMs?: string | number;
      /** Longest execution, waiting included. Setting `limit-execution-ms`. */
      execution?: string | number;
      /** The same as `execution`. */
      executionMs?: string | number;
      /** Results, log lines and error texts of one execution, `1kb` at least. Setting `limit-output`. */
      output?: string | number;
      /** Redis commands one event may send. Setting `limit-commands`. */
      commands?: number;
      /** Size of all commands of one event together, `1kb` at least. Setting `limit-command-bytes`. */
      commandBytes?: string | number;
      /** Executions at once on one node. Setting `limit-concurrency`. */
      concurrency?: number;
    };
    /**
     * The only Redis commands that may be sent; any other is refused with `COMMAND_FORBIDDEN` and never reaches Redis.
     * @example
     * configure({ commands: ['HINCRBY', 'GET'] });
     */
    commands?: readonly string[];
    /**
     * The only keys that may be touched, as glob patterns of `KEYS`, 100 at most. Commands whose keys are not known beforehand
     * (`SCAN`, `KEYS`, `SORT … BY` with a pattern) are refused.
     * @example
     * configure({ keys: ['clicks:*', 'total'] });
     */
    keys?: readonly string[];
    /**
     * What `configGet` answers where the platform has no setting of that name.
     * @example
     * configure({ settings: { region: 'eu' } });
     */
    settings?: Readonly<Record<string, string>>;
    /**
     * Names of the secrets that `secret(name)` may read, 100 at most. Until all of them are set the function does not run; what comes
     * meanwhile waits.
     * @example
     * configure({ secrets: ['API_KEY'] });
     */
    secrets?: readonly string[];
  }

  /**
   * Says what this version allows itself: once, at the top level of the source, before or after the builders. A misspelt name
   * or a wrong value is an error that names it, and nothing is deployed.
   * @example
   * configure({
   *   limits: { memory: '64mb', call: '500ms', concurrency: 10 },
   *   commands: ['HINCRBY'],
   *   keys: ['clicks:*'],
   *   settings: { region: 'eu' },
   * });
   */
  function configure(configuration: Configuration): void;

  /**
   * A value that operators have set for this function (`regears env set <function> REGION=us`), else the default; null when there is neither.
   * Only while an event is handled: a new value is seen from the next call on, without a new version.
   * @example
   * const region = env('REGION') ?? 'eu';
   */
  function env(name: string): string | null;

  /**
   * The same with a default.
   * @example
   * const region = env('REGION', 'eu');
   */
  function env<Default>(name: string, defaultValue: Default): string | Default;

  /**
   * A secret that operators have set for this function (`regears secret set <function> API_KEY`) and that it has asked for with
   * `configure({ secrets: [...] })`; any other is an error. Only while an event is handled. Its value is taken out of log lines, errors and
   * results; what the function writes to Redis is its own affair.
   * @example
   * configure({ secrets: ['API_KEY'] });
   * GB('CommandReader').map(([, text]) => signed(text, secret('API_KEY'))).register({ trigger: 'sign' });
   */
  function secret(name: string): string;

  /**
   * A setting of the platform's configuration that is meant for functions (`--function-setting region=us`), else the default
   * that `configure` gave it; null when there is none of that name.
   * @example
   * const region = configGet('region') ?? 'eu';
   */
  function configGet(key: string): string | null;

  /**
   * The same with a default.
   * @example
   * const region = gearsConfigGet('region', 'eu');
   */
  function gearsConfigGet(key: string): string | null;

  function gearsConfigGet<Default>(key: string, defaultValue: Default): string | Default;
}
