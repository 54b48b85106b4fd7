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

/** This node as the others see it; changes with `Fleet.rejoin`. */
export interface FleetSelf extends Pick<NodeRecord, 'nodeId' | 'slot' | 'consumer'> {
  /** Random text of this lease of the slot: tells two owners of the same consumer name apart. */
  readonly token: string;
}

/**
 * The nodes on one Redis, found by heartbeat. A node leases a slot for as long as it renews its heartbeat; a slot whose
 * heartbeat is older than the time-out is free, and what its consumer name has pending may be claimed by the others.
 */
export interface Fleet extends AsyncDisposable {
  readonly self: FleetSelf;
  /**
   * False from the moment this node could have been declared dead (its own clock, no renewal for the time-out): nothing may
   * be settled or taken up then. True again after the next renewal, if nobody has taken the slot meanwhile.
   */
  holdsSlot(): boolean;
  /** Called when the slot was lost; the platform stops its consumers, leases a new slot (`rejoin`) and starts them again. */
  onSlotLost(listener: () => void): () => void;
  /** Leases a new slot after a loss; `self` is another one afterwards. Waits through outages. Does nothing without a loss. */
  rejoin(): Promise<void>;
  /** One heartbeat round now; resolves after it, during an outage after the outage. */
  refresh(): Promise<void>;
  /** Live nodes now, this one included. */
  nodes(): Promise<readonly NodeRecord[]>;
  /** Consumer names of live nodes as of the last heartbeat round, this one's included, sorted. */
  consumers(): readonly string[];
  /**
   * Consumer names that are known but have no living owner; the listener is called for the same one in every heartbeat
   * round until `forget`. Never called while this node does not hold its slot, and not before the others have had one
   * heartbeat time-out to come back after an outage.
   */
  onConsumerGone(listener: (consumer: string) => void): () => void;
  /** Says that nothing is pending under the name any more; a name with a living owner stays. */
  forget(consumer: string): Promise<void>;
  /**
   * True while `consumer` belongs to a living node (as of the last heartbeat round), with `token` only while it is the node
   * with that token. After an outage nodes count as living until they have had one heartbeat time-out to come back.
   */
  isAlive(consumer: string, token?: string): boolean;
  /** Says that this node has applied a registry revision. */
  reportRevision(revision: number): Promise<void>;
  /**
   * Waits until every live node has applied the revision; returns the ids of those that have not after `deadlineMs`
   * (ms from now).
   */
  waitForRevision(revision: number, deadlineMs: number): Promise<readonly string[]>;
}

/**
 * Permits for executions: a registration has so many for the whole fleet. They belong to the node's lease of its slot: those of a
 * node that dies are free when its heartbeat has expired, in the same moment, without anybody's doing.
 */
export interface Permits extends AsyncDisposable {
  /**
   * Waits until there are some. On a node who asks first is served first; nodes that wait get their turns one after the other, each up to
   * its share. Resolves with 1 to `wanted` permits, or with null when `signal` was aborted or the node stops.
   */
  take(request: PermitRequest): Promise<Permit | null>;
}

export interface PermitRequest {
  /** Whose permits: a registration's id, or a name for one of its keys. */
  readonly registrationId: string;
  /** Permits there are at present; asked for again and again while it waits. */
  readonly limit: () => number;
  readonly wanted: number;
  readonly signal: AbortSignal;
}

/** Permits that this node holds for somebody. */
export interface Permit {
  /** How many are left. */
  readonly count: number;
  /** Gives so many back, all of them by default; more than there are is no fault. */
  release(count?: number): void;
  /** Aborted when this node could have been declared dead: others may have the permits now, what runs with them has to end. */
  readonly signal: AbortSignal;
}

/**
 * Who may read a stream in mode `sync`. A lease belongs to a consumer name and is good while that node lives: no renewal per
 * stream. Taking a dead node's lease is a compare-and-set on its former owner. A node that was away may have lost a lease
 * without knowing: whoever settles under a lease compares the field `stream` of `keys.lease(tag, registration)` with
 * `holder` in the settle script.
 */
export interface StreamLeases {
  /** `<consumer>:<token>`: the value of a lease that this node holds. */
  readonly holder: string;
  /**
   * True when this node holds the lease afterwards; asking again for a held one verifies it. False also for a stream that
   * this node has just given back as surplus, so that another one can take it.
   */
  acquire(registrationId: string, stream: string): Promise<boolean>;
  /** Gives the lease back if this node holds it. */
  release(registrationId: string, stream: string): Promise<void>;
  /**
   * Streams of a registration that this node should give back so that every live node has its share. Empty until the set
   * of live nodes has been the same for one heartbeat time-out.
   * @param known streams of the registration, whoever reads them.
   */
  surplus(registrationId: string, held: readonly string[], known: number): Promise<readonly string[]>;
}
