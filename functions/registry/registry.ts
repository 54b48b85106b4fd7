import type { Artifact, LoadableVersion, SourceLanguage } from '../artifacts/artifact.ts';
import type { Manifest } from '../model/manifest.ts';
import type { RegistrationSpec } from '../model/plan.ts';
import type { Route } from '../model/route.ts';
import type { StoredVariable, StoredVariables, VariableName } from '../variables/variable.ts';

/** A function as `RG.FUNCTION LIST` shows it. */
export interface FunctionRecord {
  readonly name: string;
  readonly description: string | null;
  /** The version that new events go to; null = none (loaded with NOACTIVATE, or all of it unregistered). */
  readonly activeVersion: number | null;
  readonly latestVersion: number;
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
  /** Secrets that the active version asks for; left out = none. */
  readonly secrets?: readonly string[];
  /** `StoredVariables.revision`; left out = none was ever set. */
  readonly variablesRevision?: number;
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

/** @see ../model/route.ts */
export type { Route } from '../model/route.ts';

/** `paused` by a person, `aborted` by `onFailedPolicy: 'abort'`, `quarantined` after crashes. Persisted. */
export type RegistrationState = 'running' | 'paused' | 'aborted' | 'quarantined';

/**
 * Order to move the registration's consumer groups back, given by a rollback with an entry id. It is gone with the next
 * activation.
 */
export interface Rewind {
  /**
   * Last id that is not delivered again: what `XGROUP SETID` takes. `0-0` = the whole stream again. Groups that stand
   * before it already stay where they are.
   */
  readonly id: string;
  /** Differs for every rewind, so that each is carried out once per stream, whatever node sees it first. */
  readonly token: string;
}

/** A registration that is in force. */
export interface ActiveRegistration {
  readonly functionName: string;
  readonly version: number;
  readonly spec: RegistrationSpec;
  readonly state: RegistrationState;
  /** Why it is not running; null while it runs. */
  readonly stateReason: string | null;
  readonly routes: readonly Route[];
  /** Present after a rollback with an entry id, until the next activation. */
  readonly rewindTo?: Rewind;
  /** True: nodes give up what they have in work of it, unsettled. Only while it is not running. */
  readonly abortsWork?: boolean;
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
  /** Source map v3 of a source that was bundled elsewhere; null = none, or in the source as an inline comment. */
  readonly sourceMap: string | null;
  /** True: FUNCTION_EXISTS when the name is taken. Default false. */
  readonly mustBeNew?: boolean;
  /** Function that is removed in the same step; its triggers are free for this one. FUNCTION_NOT_FOUND. */
  readonly replaces?: string;
  /** True: a source that registers nothing is stored but takes nothing out of force. Default false. */
  readonly keepWhenEmpty?: boolean;
  /**
   * Number that a new version gets when it is greater than every one the function has had; otherwise, and by default, it gets
   * the next one.
   */
  readonly number?: number;
  /** True: the registrations come into force paused, so that nothing runs before it is told to. Default false. */
  readonly startsPaused?: boolean;
}

export interface LoadFunctionResult {
  readonly name: string;
  readonly version: number;
  readonly sha256: string;
  readonly registrationIds: readonly string[];
  /** Revision that live nodes must reach for the change to be in force everywhere. */
  readonly revision: number;
}

/** A change of the variables of a function. */
export interface VariablesChange {
  readonly name: string;
  /** Refuses the change unless the variables are at this revision; left out = whatever they are. */
  readonly ifRevision?: number | undefined;
  /** What is to be written, for the variables as they are; called again when somebody else changed them meanwhile. */
  plan(current: StoredVariables): VariablesPlan;
}

export interface VariablesPlan {
  readonly set: readonly StoredVariable[];
  readonly unset: readonly Pick<VariableName, 'kind' | 'name'>[];
}

/** Finds out what a source registers by evaluating it in a sandbox: `runtime.inspect`, handed in by the platform. */
export type Inspect = (version: LoadableVersion) => Promise<Manifest>;

/** Last id of each stream a registration has known, so that a route can say where it begins. */
export type StreamHeads = (registration: RegistrationSpec) => Promise<Readonly<Record<string, string>>>;

export interface Registry extends AsyncDisposable {
  /**
   * Stores and (unless told otherwise) activates a version: all of its registrations or none. Identical source makes no new
   * version; it is the stored one that is activated, with all its registrations running. Errors: ARTIFACT_INVALID, ARTIFACT_TOO_LARGE, REGISTRATION_CONFLICT (trigger owned by another function),
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
   * `fromId` is the first entry that runs again: an entry id or a time in ms; the registrations then carry `rewindTo`.
   * Returns the new revision and the registrations in force. FUNCTION_NOT_FOUND, VERSION_NOT_FOUND, ARGUMENT_INVALID,
   * REGISTRATION_CONFLICT, REGISTRY_CONFLICT.
   */
  rollback(name: string, version?: number, fromId?: string): Promise<LoadFunctionResult>;
  /** Removes a function with all versions; should it come again, numbers go on. FUNCTION_NOT_FOUND. */
  remove(name: string): Promise<{ readonly revision: number }>;
  /** As they are stored. FUNCTION_NOT_FOUND. */
  variables(name: string): Promise<StoredVariables>;
  /**
   * Changes variables of a function, all of them or none; they go with the function. Returns the new revision of the registry and
   * that of the variables. FUNCTION_NOT_FOUND, VARIABLES_CHANGED, what `plan` throws.
   */
  changeVariables(change: VariablesChange): Promise<{ readonly revision: number; readonly variablesRevision: number }>;
  /** Takes one registration out of force until the next load or rollback. REGISTRATION_NOT_FOUND. */
  unregister(registrationId: string): Promise<{ readonly revision: number }>;
  /** All of them or none. REGISTRATION_NOT_FOUND names the missing ones. */
  setState(
    registrationIds: readonly string[],
    state: RegistrationState,
    reason: string | null,
  ): Promise<{ readonly revision: number }>;
  /**
   * Takes registrations out of work at once: state `aborted`, and every node gives up what it has in work of them. Comes
   * before a removal that is not to wait. REGISTRATION_NOT_FOUND.
   */
  abort(registrationIds: readonly string[], reason: string): Promise<{ readonly revision: number }>;
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
