import type { Bytes, LogLevel, Value } from './types.ts';

export interface SandboxInfo {
  readonly pid: number;
  readonly role: 'shared' | 'alone' | 'spare';
  readonly residentBytes: number;
  readonly isolates: readonly { readonly functionName: string; readonly version: number }[];
}

export interface NodeInfo {
  readonly nodeId: string;
  readonly slot: number;
  readonly consumer: string;
  readonly host: string;
  readonly pid: number;
  readonly version: string | null;
  readonly startedAtMs: number;
  readonly revision: number;
  readonly behind: boolean;
  readonly self: boolean;
  readonly reportedAtMs: number | null;
  readonly residentBytes: number | null;
  readonly heapBytes: number | null;
  readonly loopDelayMs: number | null;
  readonly ready: boolean | null;
  /** What one sandbox process may take. */
  readonly sandboxLimitBytes: number | null;
  readonly sandboxes: readonly SandboxInfo[];
}

export interface ShardInfo {
  readonly id: string;
  readonly host: string;
  readonly port: number;
  readonly slots: readonly (readonly [number, number])[];
  readonly usedMemoryBytes: number | null;
  readonly maxMemoryBytes: number | null;
  readonly connectedClients: number | null;
  readonly commandsPerSecond: number | null;
  readonly uptimeMs: number | null;
  readonly reachable: boolean;
}

export interface Cluster {
  readonly topology: 'single' | 'cluster';
  readonly product: string;
  readonly version: string;
  readonly persistence: string | null;
  readonly evictionPolicy: string | null;
  readonly notifications: string | null;
  readonly shards: readonly ShardInfo[];
}

export interface Setting {
  readonly name: string;
  readonly value: Value;
  readonly shown: string;
  readonly origin: 'flag' | 'environment' | 'file' | 'default';
  readonly default: Value;
  readonly description: string;
}

export interface Option {
  readonly name: string;
  readonly value: string;
  readonly changeable: boolean;
  readonly note: string | null;
}

export interface Config {
  readonly nodeId: string;
  readonly settings: readonly Setting[];
  readonly options: readonly Option[];
}

export type CheckState = 'ok' | 'warning' | 'bad';

export interface Doctor {
  readonly state: CheckState;
  readonly checks: readonly {
    readonly check: string;
    readonly state: CheckState;
    readonly finding: string;
    readonly advice: string | null;
  }[];
}

export interface Sample {
  readonly atMs: number;
  readonly nodes: number;
  readonly entries: {
    readonly done: number;
    readonly filtered: number;
    readonly dead: number;
    readonly expired: number;
  };
  readonly executions: number;
  readonly errors: number;
  readonly retries: number;
  readonly durationMs: { readonly p50: number; readonly p99: number; readonly max: number } | null;
  readonly lag: {
    readonly ageMs: number | null;
    readonly unread: number | null;
    readonly pending: number;
    readonly waiting: number;
  } | null;
  readonly deadLetters: number | null;
  readonly sandboxes: {
    readonly processes: number;
    readonly isolates: number;
    readonly residentBytes: number;
    readonly largestBytes: number;
  };
  readonly nodeResidentBytes: number;
  readonly loopDelayMs: number;
}

export interface Overview {
  readonly sample: Sample | null;
  readonly functions: number;
  readonly registrations: {
    readonly total: number;
    readonly failing: number;
    readonly failed: number;
    readonly stopped: number;
  };
  readonly deadLetters: number | null;
  readonly executionsRunning: number;
  readonly nodes: number;
}

/** What the console shows of one run. */
export interface Trial {
  readonly outcome: 'done' | 'filtered' | 'failed';
  readonly results: readonly Value[];
  readonly error: {
    readonly code: string;
    readonly name: string | null;
    readonly message: string;
    readonly stack: string | null;
  } | null;
  readonly logs: readonly { readonly level: LogLevel; readonly message: string }[];
  readonly commands: readonly {
    readonly args: readonly Bytes[];
    readonly reply: Value;
    readonly error: string | null;
  }[];
  readonly commandsDropped: number;
  readonly durationMs: number;
  readonly functionName: string;
  readonly version: number | null;
  readonly registrationId: string;
}
