/** The shapes of the HTTP API, as `../../../README.md` words them. */
export type Role = 'read' | 'invoke' | 'admin';

export interface Me {
  readonly authentication: 'open' | 'token';
  readonly role: Role;
  readonly name: string | null;
  readonly nodeId: string;
  readonly version: string;
}

/** Text where the bytes are UTF-8. */
export type Bytes = string | { readonly base64: string };
/** What a function or a command answered. */
export type Value = unknown;

export interface List<T> {
  readonly items: readonly T[];
  readonly nextCursor: string | null;
}

export interface FunctionInfo {
  readonly name: string;
  readonly description: string | null;
  readonly activeVersion: number | null;
  readonly latestVersion: number;
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
  readonly registrations: readonly string[];
}

export interface Version {
  readonly functionName: string;
  readonly version: number;
  readonly active: boolean;
  readonly sha256: string;
  readonly language: 'js' | 'ts';
  readonly description: string | null;
  readonly createdAtMs: number;
  readonly registrations: readonly { readonly id: string; readonly reader: string; readonly mode: string }[];
  readonly secrets: readonly string[] | null;
  readonly limits: Readonly<Record<string, unknown>> | null;
  readonly commands: readonly string[] | null;
  readonly keys: readonly string[] | null;
  readonly settings: Readonly<Record<string, string>> | null;
}

export interface Loaded {
  readonly name: string;
  readonly version: number;
  readonly created: boolean;
  readonly sha256: string;
  readonly registrationIds: readonly string[];
  readonly revision: number;
}

export interface SourceFile {
  readonly path: string;
  readonly source: string;
}

export interface Source {
  readonly functionName: string;
  readonly version: number;
  readonly sha256: string;
  readonly language: 'js' | 'ts';
  readonly source: string;
  readonly files: readonly SourceFile[];
}

export interface DiffLine {
  readonly kind: 'same' | 'added' | 'removed';
  readonly fromLine: number | null;
  readonly toLine: number | null;
  readonly text: string;
}

export interface DiffHunk {
  readonly fromLine: number;
  readonly fromCount: number;
  readonly toLine: number;
  readonly toCount: number;
  readonly lines: readonly DiffLine[];
}

export interface DiffFile {
  readonly path: string;
  readonly status: 'same' | 'changed' | 'added' | 'removed';
  readonly hunks: readonly DiffHunk[];
}

export interface Diff {
  readonly functionName: string;
  readonly from: number;
  readonly to: number;
  readonly files: readonly DiffFile[];
}

export interface Statistics {
  readonly triggered: number;
  readonly succeeded: number;
  readonly failed: number;
  readonly aborted: number;
  readonly lastRunMs: number;
  readonly averageRunMs: number;
  readonly lastLagMs: number;
  readonly averageLagMs: number;
  readonly lastError: string | null;
  readonly done: number;
  readonly filtered: number;
  readonly dead: number;
  readonly expired: number;
  readonly lostToTrim: number;
  readonly retries: number;
}

export interface Step {
  readonly type: string;
  readonly arg: string | null;
}

export type Health = 'ok' | 'failing' | 'failed' | 'stopped';
export type RegistrationState = 'running' | 'paused' | 'aborted' | 'quarantined';
export type TriggerKind = 'stream' | 'command' | 'hook' | 'keys' | 'schedule' | 'list' | 'pubsub';

export interface Registration {
  readonly id: string;
  readonly functionName: string;
  readonly version: number;
  readonly reader: string;
  readonly description: string | null;
  readonly mode: string;
  readonly trigger: { readonly kind: TriggerKind } & Readonly<Record<string, unknown>>;
  readonly flow: object | null;
  readonly steps: readonly Step[];
  readonly state: RegistrationState;
  readonly stateReason: string | null;
  readonly health: Health;
  readonly waiting: number;
  readonly statistics: Statistics;
}

export interface ConsumerInfo {
  readonly name: string;
  readonly pending: number;
  readonly idleMs: number;
  readonly alive: boolean;
  readonly nodeId: string | null;
}

export interface Group {
  readonly registrationId: string;
  readonly functionName: string;
  readonly mode: string;
  /** Of the node that answers; null where it does not read the stream. */
  readonly state: string | null;
  readonly unread: number | null;
  readonly unreadIsExact: boolean;
  readonly pending: number;
  readonly waiting: number;
  readonly lagAgeMs: number | null;
  readonly oldestUnreadAtMs: number | null;
  readonly oldestPendingAtMs: number | null;
  readonly lastDeliveredId: string | null;
  readonly consumers: readonly ConsumerInfo[];
}

export interface StreamInfo {
  readonly stream: string;
  readonly internal: boolean;
  readonly length: number;
  readonly firstEntryAtMs: number | null;
  readonly lastEntryAtMs: number | null;
  readonly groups: readonly Group[];
}

export interface StreamEntry {
  readonly id: string;
  readonly atMs: number;
  readonly fields: readonly (readonly [Bytes, Bytes])[];
}

export type ExecutionStatus = 'created' | 'running' | 'done' | 'aborted';

export interface Execution {
  readonly id: string;
  readonly status: ExecutionStatus;
  readonly functionName: string | null;
  readonly reader: string;
  readonly createdAtMs: number;
  readonly endedAtMs: number | null;
  readonly durationMs: number | null;
  readonly recordsRead: number;
  readonly results: number | null;
  readonly errors: number;
}

export interface ExecutionShard {
  readonly shardId: string;
  readonly status: string;
  readonly stage: number;
  readonly stages: number;
  readonly attempts: number;
  readonly recordsRead: number;
  readonly recordsPerSecond: number;
  readonly results: number | null;
  readonly errors: readonly string[];
  readonly totalMs: number;
  readonly readMs: number;
  readonly steps: readonly (Step & { readonly durationMs: number })[];
}

export interface ExecutionDetail extends Execution {
  readonly plan: {
    readonly reader: string;
    readonly argument: Readonly<Record<string, unknown>>;
    readonly steps: readonly Step[];
    readonly mode: string;
    readonly stages: number;
  };
  readonly shards: readonly ExecutionShard[];
  readonly errorTexts: readonly string[];
}

export interface ExecutionResults {
  readonly id: string;
  readonly status: ExecutionStatus;
  readonly results: readonly Value[];
  readonly errors: readonly string[];
  readonly nextCursor: string | null;
}

export interface DeadLetter {
  readonly id: string;
  readonly registrationId: string;
  readonly functionName: string;
  readonly version: number | null;
  readonly stream: string;
  readonly entryId: string;
  readonly attempts: number;
  readonly reason: string;
  readonly errorCode: string | null;
  readonly errorMessage: string | null;
  readonly diedAtMs: number;
}

export interface DeadLetterDetail extends DeadLetter {
  readonly errorStack: string | null;
  readonly fields: readonly (readonly [Bytes, Bytes])[];
}

export interface DeadLetterFilter {
  readonly ids?: readonly string[];
  readonly function?: string;
  readonly registration?: string;
  readonly error?: string;
  readonly sinceMs?: number;
  readonly untilMs?: number;
}

export interface Redriven {
  readonly dryRun: boolean;
  readonly matched: number;
  readonly redriven: number;
  readonly lostToTrim: number;
  readonly tooLarge: number;
  readonly gone: number;
  readonly refused: readonly { readonly id: string; readonly message: string }[];
}

export interface Discarded {
  readonly dryRun: boolean;
  readonly matched: number;
  readonly discarded: number;
}

export type LogLevel = 'debug' | 'verbose' | 'notice' | 'warning';

export interface LogLine {
  readonly id: string;
  readonly atMs: number;
  readonly functionName: string | null;
  readonly version: number | null;
  readonly level: LogLevel;
  readonly message: string;
}
