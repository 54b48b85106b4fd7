/** Limits of one function version. Crossing one is an error that names the limit, the value and the setting. */
export interface Limits {
  /** Heap of the version's isolate, bytes. Setting `limit-memory`. */
  readonly memoryBytes: number;
  /** Longest stretch of guest code without coming up for air, ms of wall time. Setting `limit-call-ms`. */
  readonly callMs: number;
  /** Wall time of one execution, waiting included, ms. Setting `limit-execution-ms`. */
  readonly executionMs: number;
  /** Results, log lines and error text of one execution, bytes. Setting `limit-output`. */
  readonly outputBytes: number;
  /** Redis commands one event may send. Setting `limit-commands`. */
  readonly commandsPerEvent: number;
  /** Bytes of encoded commands that one event may send. Setting `limit-command-bytes`. */
  readonly commandBytes: number;
  /** Executions of one version at once on one node. Setting `limit-concurrency`. */
  readonly concurrency: number;
}

export const DEFAULT_LIMITS: Limits = {
  memoryBytes: 128 * 1024 * 1024,
  callMs: 2_000,
  executionMs: 30_000,
  outputBytes: 16 * 1024 * 1024,
  commandsPerEvent: 10_000,
  commandBytes: 64 * 1024 * 1024,
  concurrency: 10_000,
};
