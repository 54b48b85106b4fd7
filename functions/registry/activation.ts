import { PlatformError } from '../errors.ts';
import { ZERO_ENTRY_ID } from '../model/entry-id.ts';
import type { RegistrationSpec } from '../model/plan.ts';
import { compactRoutes } from '../model/route.ts';
import type { ActiveRegistration, RegistrySnapshot, Rewind, Route, VersionRecord } from './registry.ts';

export type Heads = Readonly<Record<string, string>>;

export interface ActivationRequest {
  readonly snapshot: RegistrySnapshot;
  /** The version that is to be in force. */
  readonly version: VersionRecord;
  /** Function that goes in the same step. */
  readonly replaces: string | null;
  /** By registration id, for those that `needsHeads` names. */
  readonly heads: ReadonlyMap<string, Heads>;
  readonly rewind: Rewind | null;
  readonly nowMs: number;
  /** True: registrations come into force paused. Default false. */
  readonly startsPaused?: boolean;
}

export interface Activation {
  /** Registrations that are not yet so in the registry. */
  readonly written: readonly ActiveRegistration[];
  /** Ids the function had and the version does not have. */
  readonly erased: readonly string[];
  /** All registrations of the function afterwards. */
  readonly inForce: readonly ActiveRegistration[];
}

/** Registrations whose entries change versions somewhere in their streams, so that it must be known where. */
export function needsHeads(
  snapshot: RegistrySnapshot,
  version: VersionRecord,
  rewinds: boolean,
): readonly RegistrationSpec[] {
  return version.manifest.registrations.filter((spec) => {
    const before = streamBefore(snapshot, spec);
    return before !== undefined && (rewinds || !endsIn(before.routes, version.version, spec.index));
  });
}

/**
 * What putting a version in force does to the registrations of its function: all of them run (or pause), those of the version that are
 * new begin with it alone, those it does not have go. Pure. Errors: REGISTRATION_CONFLICT.
 */
export function planActivation(request: ActivationRequest): Activation {
  const { snapshot, version } = request;
  refuseForeignTriggers(request);
  const inForce = version.manifest.registrations.map((spec) => activeRegistration(request, spec));
  const ids = new Set(inForce.map(({ spec }) => spec.id));
  return {
    written: inForce.filter((next) => !sameData(snapshot.registrations.get(next.spec.id), next)),
    erased: idsOf(snapshot, version.functionName).filter((id) => !ids.has(id)),
    inForce,
  };
}

/** Ids of the registrations a function has in force. */
export function idsOf(snapshot: RegistrySnapshot, functionName: string): readonly string[] {
  return [...snapshot.registrations.values()]
    .filter((registration) => registration.functionName === functionName)
    .map(({ spec }) => spec.id);
}

/**
 * Versions beyond the cap, oldest first: neither the newest one nor one that entries still go to.
 * @param inUse versions that are active or on a route.
 */
export function versionsBeyondCap(
  versions: readonly VersionRecord[],
  inUse: ReadonlySet<number>,
  cap: number,
): readonly VersionRecord[] {
  const newest = versions[versions.length - 1]?.version;
  const free = versions.filter(({ version }) => version !== newest && !inUse.has(version));
  return free.slice(0, Math.max(0, versions.length - cap));
}

function refuseForeignTriggers({ snapshot, version, replaces }: ActivationRequest): void {
  const owners = new Map<string, string>();
  for (const { functionName, spec } of snapshot.registrations.values()) {
    if (spec.trigger.kind !== 'command') continue;
    if (functionName !== version.functionName && functionName !== replaces)
      owners.set(spec.trigger.trigger, functionName);
  }
  for (const { trigger } of version.manifest.registrations) {
    const owner = trigger.kind === 'command' ? owners.get(trigger.trigger) : undefined;
    if (trigger.kind !== 'command' || owner === undefined) continue;
    throw new PlatformError(
      'REGISTRATION_CONFLICT',
      `trigger already registered: "${trigger.trigger}" belongs to the function ${owner}; rename it or remove that function`,
      { details: { trigger: trigger.trigger, owner } },
    );
  }
}

function activeRegistration(request: ActivationRequest, spec: RegistrationSpec): ActiveRegistration {
  const { version, rewind, snapshot, startsPaused = false } = request;
  const before = streamBefore(snapshot, spec);
  return {
    functionName: version.functionName,
    version: version.version,
    spec,
    state: startsPaused ? 'paused' : 'running',
    stateReason: startsPaused ? 'loaded paused' : null,
    routes: nextRoutes(request, spec, before),
    ...(rewind !== null && spec.trigger.kind === 'stream' ? { rewindTo: rewind } : {}),
  };
}

function nextRoutes(
  request: ActivationRequest,
  spec: RegistrationSpec,
  before: ActiveRegistration | undefined,
): readonly Route[] {
  const { version, heads, rewind, nowMs } = request;
  const route: Route = { version: version.version, madeAtMs: nowMs, heads: {}, index: spec.index };
  if (before === undefined) return [route];
  if (rewind === null && endsIn(before.routes, version.version, spec.index)) return before.routes;
  const known = heads.get(spec.id) ?? {};
  return compactRoutes([...before.routes, { ...route, heads: rewind === null ? known : rewound(known, rewind.id) }]);
}

function rewound(known: Heads, lastKeptId: string): Heads {
  if (lastKeptId === ZERO_ENTRY_ID) return {};
  return Object.fromEntries(Object.keys(known).map((stream) => [stream, lastKeptId]));
}

function streamBefore(snapshot: RegistrySnapshot, spec: RegistrationSpec): ActiveRegistration | undefined {
  const before = snapshot.registrations.get(spec.id);
  return before?.spec.trigger.kind === spec.trigger.kind && spec.trigger.kind !== 'command' ? before : undefined;
}

function endsIn(routes: readonly Route[], version: number, index: number): boolean {
  const last = routes[routes.length - 1];
  return last !== undefined && last.version === version && (last.index ?? index) === index;
}

function sameData(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
