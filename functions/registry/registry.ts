import type { Artifact, LoadableVersion, SourceLanguage } from '../artifacts/artifact.ts';
import type { Manifest } from '../model/manifest.ts';
import type { RegistrationSpec } from '../model/plan.ts';

/** A function as `RG.FUNCTION LIST` shows it. */
export interface FunctionRecord {
  readonly name: string;
  readonly description: string | null;
  /** The version that new events go to; null = none (loaded with NOACTIVATE, or all of it unregistered). */
  readonly activeVersion: number | null;
  readonly latestVersion: number;
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
}

/** One immutable version, numbered from 1 per function. */
export interface VersionRecord {
  readonly functionName: string;
  readonly version: number;
  readonly sha256: string;
  readonly language: SourceLanguage;
  readonly description: string | null;
  readonly createdAtMs: number;
  readonly manifest: Manifest;
}

/**
 * "From entry id X, version N." The last route that covers an id decides. `heads` holds, per stream that existed when the
 * route was made, the last id that was in it: those entries stay with the route before. Streams not in `heads` are
 * wholly the route's.
 */
export interface Route {
  readonly version: number;
  readonly madeAtMs: number;
  readonly heads: Readonly<Record<string, string>>;
}

/** `paused` by a person, `aborted` by `onFailedPolicy: 'abort'`, `quarantined` after crashes. Persisted. */
export type RegistrationState = 'running' | 'paused' | 'aborted' | 'quarantined';

/** A registration that is in force. */
export interface ActiveRegistration {
  readonly functionName: string;
  readonly version: number;
  readonly spec: RegistrationSpec;
  readonly state: RegistrationState;
  /** Why it is not running; null while it runs. */
  readonly stateReason: string | null;
  readonly routes: readonly Route[];
}

/** The whole registry at one revision, as a node applies it. */
export interface RegistrySnapshot {
  readonly revision: number;
  readonly functions: ReadonlyMap<string, FunctionRecord>;
  /** By registration id. */
  readonly registrations: ReadonlyMap<string, ActiveRegistration>;
}

export interface LoadFunctionRequest {
  readonly name: string;
  readonly source: string;
  readonly language: SourceLanguage;
  readonly description: string | null;
  /** False: store the version and leave the active one in force. */
  readonly activate: boolean;
  /** Script already bundled by the CLI with its source map, else null: it is compiled here. */
  readonly sourceMap: string | null;
}

export interface LoadFunctionResult {
  readonly name: string;
  readonly version: number;
  readonly sha256: string;
  readonly registrationIds: readonly string[];
  /** Revision that live nodes must reach for the change to be in force everywhere. */
  readonly revision: number;
}

/** Finds out what a source registers by evaluating it in a sandbox: `runtime.inspect`, handed in by the platform. */
export type Inspect = (version: LoadableVersion) => Promise<Manifest>;

/** Last id of each stream a registration has known, so that a route can say where it begins. */
export type StreamHeads = (registration: RegistrationSpec) => Promise<Readonly<Record<string, string>>>;

export interface Registry extends AsyncDisposable {
  /**
   * Stores and (unless told otherwise) activates a version: all of its registrations or none. Identical source makes no new
   * version. Errors: ARTIFACT_INVALID, ARTIFACT_TOO_LARGE, REGISTRATION_CONFLICT (trigger owned by another function),
   * REGISTRY_CONFLICT (someone else changed the function meanwhile; retryable), GUEST_* of the runtime.
   */
  load(request: LoadFunctionRequest): Promise<LoadFunctionResult>;
  list(): Promise<readonly FunctionRecord[]>;
  /** Oldest first. FUNCTION_NOT_FOUND. */
  versions(name: string): Promise<readonly VersionRecord[]>;
  /** FUNCTION_NOT_FOUND, VERSION_NOT_FOUND. Without a version: the active one, else the latest. */
  get(name: string, version?: number): Promise<VersionRecord & { readonly artifact: Artifact }>;
  /**
   * From now on (or from `fromId` on, reprocessing what lies behind it) version N; default the one before the active one.
   * Returns the new revision and the registrations in force.
   */
  rollback(name: string, version?: number, fromId?: string): Promise<LoadFunctionResult>;
  /** Removes a function with all versions. FUNCTION_NOT_FOUND. */
  remove(name: string): Promise<{ readonly revision: number }>;
  /** Takes one registration out of force. REGISTRATION_NOT_FOUND. */
  unregister(registrationId: string): Promise<{ readonly revision: number }>;
  /** All of them or none. REGISTRATION_NOT_FOUND names the missing ones. */
  setState(
    registrationIds: readonly string[],
    state: RegistrationState,
    reason: string | null,
  ): Promise<{ readonly revision: number }>;
  /** The newest snapshot this node has seen. */
  snapshot(): RegistrySnapshot;
  /** A version ready for the runtime; cached, since versions never change. */
  loadable(name: string, version: number): Promise<LoadableVersion>;
  /**
   * Calls the listener with every new snapshot, one after another (awaits it), beginning with the present one. News come by
   * publish and, should that be lost, by polling the revision.
   */
  watch(listener: (snapshot: RegistrySnapshot) => Promise<void>): void;
}
