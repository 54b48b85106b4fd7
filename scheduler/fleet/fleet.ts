/** A live node as its heartbeat describes it. */
export interface NodeRecord {
  readonly nodeId: string;
  /** Small integer, leased while the node lives; reused afterwards. */
  readonly slot: number;
  /** `n<slot>`: the node's name in every consumer group. */
  readonly consumer: string;
  readonly host: string;
  readonly pid: number;
  readonly startedAtMs: number;
  /** Registry revision that the node has applied. */
  readonly revision: number;
}

/**
 * The nodes on one Redis, found by heartbeat. A node leases a slot for as long as it renews its heartbeat; a slot whose
 * heartbeat is older than the time-out is free, and what its consumer name has pending may be claimed by the others.
 */
export interface Fleet extends AsyncDisposable {
  readonly self: Pick<NodeRecord, 'nodeId' | 'slot' | 'consumer'>;
  /**
   * False from the moment this node could have been declared dead (its own clock, no renewal for the time-out): nothing may
   * be settled or taken up then.
   */
  holdsSlot(): boolean;
  /** Called when the slot was lost; the platform stops its consumers, leases a new slot and starts them again. */
  onSlotLost(listener: () => void): () => void;
  /** Live nodes now, this one included. */
  nodes(): Promise<readonly NodeRecord[]>;
  /** Consumer names that are known but have no living owner; the listener may be called repeatedly for the same one. */
  onConsumerGone(listener: (consumer: string) => void): () => void;
  /** True while `consumer` belongs to a living node (as of the last heartbeat round). */
  isAlive(consumer: string): boolean;
  /** Says that this node has applied a registry revision. */
  reportRevision(revision: number): Promise<void>;
  /** Waits until every live node has applied the revision; returns the ids of those that have not by the deadline. */
  waitForRevision(revision: number, deadlineMs: number): Promise<readonly string[]>;
}

/**
 * Who may read a stream in mode `sync`. A lease belongs to a consumer name and is good while that node lives: no renewal per
 * stream. Taking a dead node's lease is a compare-and-set on its former owner.
 */
export interface StreamLeases {
  /** True when this node holds the lease afterwards. */
  acquire(registrationId: string, stream: string): Promise<boolean>;
  release(registrationId: string, stream: string): Promise<void>;
  /** Streams of a registration that this node should give back so that every live node has its share. */
  surplus(registrationId: string, held: readonly string[], known: number): Promise<readonly string[]>;
}
