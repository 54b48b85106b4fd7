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
}

export const SAMPLE_MS = 1_000;
