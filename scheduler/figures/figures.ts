import type { SandboxUsage } from '#runtime';
import type { EndCounts } from '../delivery.ts';

/** How far the readers are behind, over all streams. */
export interface Lag {
  /** Age of the oldest entry without an end, ms. */
  readonly ageMs: number;
  readonly unread: number;
  readonly pending: number;
  readonly waiting: number;
}

/** What is measured by one node for all. */
export interface Probe {
  readonly lag: Lag;
  /** Kept now. */
  readonly deadLetters: number;
}

/** What one registration has before it, over all its streams and nodes. */
export interface Backlog {
  readonly registrationId: string;
  readonly functionName: string;
  /** Of the registration: only a running one is worked on. */
  readonly state: string;
  /** Never less than there are; of a list registration with what is in its lists. */
  readonly unread: number;
  readonly unreadIsExact: boolean;
  /** Read and in work: without those that wait for a retry. */
  readonly pending: number;
  readonly dueRetries: number;
  /** Entries whose retry is not due yet. */
  readonly waitingRetries: number;
  /** What nodes could work on now: unread, pending and due retries of a running registration. */
  readonly backlog: number;
  /** Age of the oldest entry without an end, ms; null = there is none. */
  readonly lagAgeMs: number | null;
}

/** Backlogs as they were measured for all nodes. */
export interface Backlogs {
  readonly atMs: number;
  readonly items: readonly Backlog[];
  /** Kept now. */
  readonly deadLetters: number;
}

/** Entries of a registration that wait on one node for a retry. */
export interface RetryCount {
  readonly registrationId: string;
  readonly waiting: number;
  /** Those of them whose time has come. */
  readonly due: number;
}

/** What one node says about one of its seconds. */
export interface NodeSample {
  /** When it was written, clock of Redis. */
  readonly atMs: number;
  readonly entries: EndCounts;
  readonly executions: number;
  readonly errors: number;
  readonly retries: number;
  /** `[bucket, count]` of those buckets that have any. */
  readonly durations: readonly (readonly [number, number])[];
  /** Time that the counts are of, ms. */
  readonly spanMs: number;
  readonly sandboxes: SandboxSum;
  readonly nodeResidentBytes: number;
  readonly loopDelayMs: number;
  /** Null on nodes that do not measure for all. */
  readonly probe: Probe | null;
}

export interface SandboxSum {
  readonly processes: number;
  readonly isolates: number;
  readonly residentBytes: number;
  readonly largestBytes: number;
}

/** The whole fleet in one second; counts per second. */
export interface Sample extends Pick<NodeSample, 'entries' | 'executions' | 'errors' | 'retries' | 'sandboxes'> {
  readonly atMs: number;
  readonly nodes: number;
  readonly durationMs: { readonly p50: number; readonly p99: number; readonly max: number } | null;
  readonly lag: Lag | null;
  readonly deadLetters: number | null;
  /** Sum over the nodes. */
  readonly nodeResidentBytes: number;
  /** Of the slowest node. */
  readonly loopDelayMs: number;
}

/** What a node says about itself. */
export interface NodeStatus {
  readonly atMs: number;
  readonly version: string;
  readonly ready: boolean;
  readonly residentBytes: number;
  readonly heapBytes: number;
  readonly loopDelayMs: number;
  readonly retries: readonly RetryCount[];
  /** What one sandbox process may take. */
  readonly sandboxLimitBytes: number;
  readonly sandboxes: readonly {
    readonly pid: number;
    readonly role: 'shared' | 'alone' | 'spare';
    readonly residentBytes: number;
    readonly isolates: readonly IsolateStatus[];
  }[];
  /** Of those registrations that did anything in the last seconds. */
  readonly work: readonly RegistrationWork[];
}

/** What one registration did on one node in its last seconds. */
export interface RegistrationWork
  extends Pick<NodeSample, 'entries' | 'executions' | 'errors' | 'retries' | 'durations' | 'spanMs'> {
  /** Of the registration. */
  readonly id: string;
}

/** What one registration does in the whole fleet, per second, over the last seconds. */
export interface RegistrationRates {
  /** Entries that came to an end, whichever. */
  readonly entries: number;
  readonly executions: number;
  /** Executions that failed. */
  readonly errors: number;
  readonly retries: number;
  /** Of its executions; null when none has ended. */
  readonly durationMs: { readonly p50: number; readonly p99: number } | null;
}

/** A version in a sandbox; what it takes is null while the process is too busy to tell. */
export interface IsolateStatus {
  readonly functionName: string;
  readonly version: number;
  readonly heapBytes: number | null;
  readonly cpuMs: number | null;
  readonly batches: number | null;
  readonly entries: number | null;
}

/** Figures of the fleet: each node writes its own once a second, any node reads them all. */
export interface Figures extends AsyncDisposable {
  /** The newest second; null when no node has said anything in the last seconds. */
  latest(): Promise<Sample | null>;
  /** Up to five minutes, oldest first, one a second. */
  history(): Promise<readonly Sample[]>;
  /** By slot, of those that have said something in the last seconds. */
  nodes(slots: readonly number[]): Promise<ReadonlyMap<number, NodeStatus>>;
  /** Null when no node has measured them in the last minute. */
  backlogs(): Promise<Backlogs | null>;
  /** What this node has measured of itself, without asking Redis. */
  self(): SelfFigures;
}

export interface SelfFigures {
  /** Of the last second that was measured. */
  readonly usage: readonly SandboxUsage[];
  /** 99th percentile of the last second. */
  readonly loopDelayMs: number;
}

export const SAMPLE_MS = 1_000;
