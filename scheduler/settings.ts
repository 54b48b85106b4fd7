import type { Limits } from '#functions';

/**
 * What the platform is told, complete and checked: `scheduler/config.ts` makes one from flags, environment and file; nothing
 * else reads those. Each field's flag and meaning stand in the table there.
 */
export interface Settings {
  /** null = embedded server. */
  readonly redisUrl: string | null;
  readonly respHost: string;
  readonly respPort: number;
  readonly httpHost: string;
  readonly httpPort: number;
  /** Sandbox processes, without the spare. */
  readonly sandboxes: number;
  readonly dataDir: string;
  /** Begin of every platform key, `rg:`. */
  readonly prefix: string;
  readonly nodeId: string;
  readonly logLevel: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent';
  /** What `configGet` answers in functions. */
  readonly functionSettings: Readonly<Record<string, string>>;
  readonly limits: Limits;
  readonly delivery: DeliverySettings;
  readonly fleet: FleetSettings;
  readonly sandbox: SandboxSettings;
  readonly door: DoorSettings;
  readonly caps: CapSettings;
  readonly executions: ExecutionSettings;
  readonly http: HttpSettings;
  readonly trace: TraceSettings;
}

/** The HTTP door. */
export interface HttpSettings {
  /** Origins of pages that may use the door besides its own. Default none. */
  readonly origins: readonly string[];
  /** Connections at once. Default 1000. */
  readonly maxConnections: number;
  /** Clients that follow events at once. Default 200. */
  readonly eventClients: number;
  /** How long a client may take to read an answer, ms. Default 60000. */
  readonly answerMs: number;
  /** How long the answer of a call with an idempotency key is kept, ms. Default 86400000. */
  readonly idempotencyKeepMs: number;
  /** Who may scrape `/metrics`: holders of a token, or whoever reaches the door. Default `token`. */
  readonly metricsAccess: 'token' | 'open';
  /** Registrations, and functions, with labels of their own in `/metrics`; the rest is summed up as `other`. Default 200. */
  readonly metricsLabels: number;
}

/** Traces. */
export interface TraceSettings {
  /** Where spans go, OTLP over HTTP; null = nowhere, and none are made. */
  readonly endpoint: string | null;
  /** Share of the events without a trace of their own that begin one, 0 to 1. Default 0. */
  readonly ratio: number;
  /** Spans that wait for the collector or are on their way there; the next ones are dropped. Default 4096. */
  readonly queue: number;
}

/** Batch runs (`RG.JSEXECUTE … run`). */
export interface ExecutionSettings {
  /** Executions kept, running ones included; the oldest go first; 0 = no limit. Default 1000. */
  readonly max: number;
  /** Ended executions kept of each registration, the oldest go first; 0 = none. Default 100. */
  readonly perRegistration: number;
  /** A running execution on which nobody works for so long is aborted, ms. Default 30000. */
  readonly idleMs: number;
  /** Ended executions and their results are forgotten after this, ms. Default 3600000. */
  readonly keepMs: number;
  /** Largest results given in one reply, bytes. Default 64 MiB. */
  readonly resultBytes: number;
  /** Most bytes that one execution keeps in Redis: results, and records on their way. Default 1 GiB. */
  readonly storedBytes: number;
}

export interface DeliverySettings {
  /** Entries fetched by one read. Default 1000. */
  readonly readCount: number;
  /** Reads of one stream under way at once (`async_local`). Default 2. */
  readonly readsInFlight: number;
  /** Blocking connections per shard for streams that are busy. Default 8. */
  readonly hotReaders: number;
  /** How long a blocking read waits, ms. Default 2000. */
  readonly blockMs: number;
  /** A read that is not back this long after its block time is torn down, ms. Default 3000. */
  readonly readMarginMs: number;
  /** Period of the scan that finds streams without any news, ms. Default 2000. */
  readonly scanIntervalMs: number;
  /** Defaults for registrations that do not say. */
  readonly maxAttempts: number;
  readonly retryIntervalMs: number;
  readonly retryCeilingMs: number;
  readonly maxInFlight: number;
  /** Claims are renewed when older than this, ms. Default 10000. */
  readonly renewAfterMs: number;
  /** Jobs that vanished from the queue are made again after this, ms. Default 60000. */
  readonly queueVisibilityMs: number;
  /** Time for work in progress at a graceful stop, ms. Default 10000. */
  readonly drainMs: number;
}

export interface FleetSettings {
  /** Period of the heartbeat, ms. Default 500. */
  readonly heartbeatMs: number;
  /** Without a heartbeat for this long a node is dead, ms. Default 3000. */
  readonly heartbeatTimeoutMs: number;
  /** How long registration commands wait for the other nodes, ms. Default 5000. */
  readonly convergeMs: number;
}

export interface SandboxSettings {
  /** Resident memory of one sandbox process, bytes. Default 1 GiB. */
  readonly residentBytes: number;
  /** Beyond a call's own limit, before SIGKILL, ms. Default 500. */
  readonly graceMs: number;
  /** Crashes until a version runs alone. Default 3. */
  readonly quarantineAfterCrashes: number;
  /** Isolates idle for this long are dropped, ms. Default 600000. */
  readonly idleMs: number;
  /** Most isolates in one process. Default 256. */
  readonly isolatesPerProcess: number;
  /** Timers, futures and runs that events of one version may wait for at once. Default 10000. */
  readonly waits: number;
}

export interface DoorSettings {
  readonly maxConnections: number;
  /** Largest bulk string from a client, bytes. Default 512 MiB (as Redis). */
  readonly maxBulkBytes: number;
  /** Largest number of arguments. Default 1,048,576 (as Redis). */
  readonly maxArguments: number;
  /** Largest unfinished command or unread output of one client, bytes. Default 64 MiB output. */
  readonly maxOutputBytes: number;
  /** Where the server has no ACL DRYRUN: users that may invoke and manage. `*` = all. */
  readonly invokeUsers: readonly string[];
  readonly manageUsers: readonly string[];
}

export interface CapSettings {
  /** Dead letters kept per registration (and slot). Default 10000. */
  readonly deadLetters: number;
  /** Log lines kept per function. Default 1000. */
  readonly logLines: number;
  /** Largest source, bytes. Default 8 MiB. */
  readonly artifactBytes: number;
  /** Versions kept per function. Default 100. */
  readonly versions: number;
}
