import type { ActiveRegistration, Registry, RegistrySnapshot } from '#functions';
import type { Runtime } from '#runtime';
import type { Log, LogFields } from './log.ts';
import type { VariableBook } from './variables/variable-book.ts';
import type { Trigger } from './triggers/trigger.ts';

export interface ReconcilerOptions {
  readonly registry: Pick<Registry, 'watch' | 'snapshot' | 'variables'>;
  readonly triggers: readonly Trigger[];
  readonly runtime: Pick<Runtime, 'retain' | 'pardon'>;
  readonly variables: Pick<VariableBook, 'refresh' | 'reasonAgainst'>;
  /** Tells the fleet which revision this node has applied. */
  readonly reportRevision: (revision: number) => Promise<void>;
  readonly log: Log;
}

/** Keeps the triggers as the registry wants them. Disposing ends further tries. */
export interface Reconciler extends Disposable {
  /** Applies the present snapshot and follows every later one; resolves when the present one is in force. */
  start(): Promise<void>;
  /** Applies the newest snapshot again, for triggers that were stopped meanwhile. */
  reapply(): Promise<void>;
  /** Revision in force on this node; -1 before the first. */
  readonly revision: number;
}

/** Until a snapshot that could not be applied is tried again; twice as long after each try. */
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5_000;

/**
 * Registry change → triggers started, changed, stopped. Snapshots are applied one after another; when one trigger fails to
 * apply, the others still do, the failure is logged and the revision is not reported, so that the command which caused the
 * change names this node. It is tried again until it succeeds or a newer snapshot has come.
 */
export function createReconciler(options: ReconcilerOptions): Reconciler {
  let revision = -1;
  let inForce: RegistrySnapshot['registrations'] | null = null;
  let applying: Promise<void> = Promise.resolve();
  let newest: RegistrySnapshot | null = null;
  const retry = createRetry();

  async function apply(snapshot: RegistrySnapshot): Promise<boolean> {
    await options.variables.refresh(snapshot, (name) => options.registry.variables(name));
    const registrations = [...snapshot.registrations.values()].map((one) => held(one, options.variables));
    for (const resumed of outOfQuarantine(inForce, snapshot.registrations)) options.runtime.pardon(resumed);
    const applied = await Promise.all(options.triggers.map((trigger) => applyTo(trigger, registrations, options.log)));
    options.runtime.retain(versionsIn(registrations));
    tellChanges(inForce, snapshot.registrations, options.log);
    inForce = snapshot.registrations;
    if (!applied.every(Boolean)) return false;
    revision = snapshot.revision;
    await options.reportRevision(revision);
    return true;
  }

  async function attempt(snapshot: RegistrySnapshot): Promise<void> {
    const failed = (error: unknown): boolean => {
      options.log.error({ err: error }, 'reconciling failed');
      return false;
    };
    const isInForce = await apply(snapshot).catch(failed);
    if (newest !== snapshot) return;
    if (isInForce) retry.end();
    else retry.later(() => newest === snapshot && void enqueue(snapshot));
  }

  /** One at a time: `reapply` and the registry's watch may come together. */
  function enqueue(snapshot: RegistrySnapshot): Promise<void> {
    newest = snapshot;
    applying = applying.then(() => attempt(snapshot));
    return applying;
  }

  return {
    start() {
      const first = Promise.withResolvers<void>();
      options.registry.watch(async (snapshot) => {
        await enqueue(snapshot);
        first.resolve();
      });
      return first.promise;
    },
    reapply: () => enqueue(options.registry.snapshot()),
    get revision() {
      return revision;
    },
    [Symbol.dispose]: () => retry.close(),
  };
}

/** Later and later, until it ends. */
function createRetry(): { later(work: () => void): void; end(): void; close(): void } {
  let pauseMs = FIRST_PAUSE_MS;
  let timer: NodeJS.Timeout | undefined;
  let closed = false;
  return {
    later(work) {
      clearTimeout(timer);
      if (!closed) timer = setTimeout(work, pauseMs);
      pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS);
    },
    end() {
      clearTimeout(timer);
      pauseMs = FIRST_PAUSE_MS;
    },
    close() {
      closed = true;
      clearTimeout(timer);
    },
  };
}

/**
 * A function without its secrets takes nothing up on this node: entries stay in their stream, for other nodes or for later. Only of
 * events that would be gone unheard are taken up; those wait in the platform's own streams until the function may run.
 */
function held(registration: ActiveRegistration, variables: ReconcilerOptions['variables']): ActiveRegistration {
  const { state, spec, functionName } = registration;
  const waits = spec.trigger.kind === 'stream' || spec.trigger.kind === 'command';
  const reason = state === 'running' && waits ? variables.reasonAgainst(functionName) : null;
  if (reason === null) return registration;
  return { ...registration, state: 'paused', stateReason: `${reason.code}: ${reason.message}` };
}

async function applyTo(trigger: Trigger, all: readonly ActiveRegistration[], log: Log): Promise<boolean> {
  try {
    const kinds = [trigger.kind, ...(trigger.alsoFor ?? [])];
    await trigger.apply(all.filter(({ spec }) => kinds.includes(spec.trigger.kind)));
    return true;
  } catch (error) {
    log.error({ err: error, trigger: trigger.kind }, 'a trigger could not apply the registry');
    return false;
  }
}

/** Registrations that somebody wants to run although their version was stopped: each node has to try again. */
function outOfQuarantine(
  before: RegistrySnapshot['registrations'] | null,
  now: RegistrySnapshot['registrations'],
): readonly ActiveRegistration[] {
  const isResumed = ({ spec, version, state }: ActiveRegistration): boolean => {
    const former = before?.get(spec.id);
    return state === 'running' && former?.state === 'quarantined' && former.version === version;
  };
  return [...now.values()].filter(isResumed);
}

/** One line for each registration that comes, changes or goes; of the first snapshot, how many there are. */
function tellChanges(
  before: RegistrySnapshot['registrations'] | null,
  now: RegistrySnapshot['registrations'],
  log: Log,
): void {
  if (before === null) {
    log.info({ registrations: now.size }, 'the registry is in force');
    return;
  }
  for (const [id, one] of now) {
    const former = before.get(id);
    if (former !== undefined && former.version === one.version && former.state === one.state) continue;
    if (one.state === 'running') log.info(factsOf(one), 'a registration is in force');
    else log.info({ ...factsOf(one), state: one.state, reason: one.stateReason }, 'a registration stands still');
  }
  for (const [id, one] of before) if (!now.has(id)) log.info(factsOf(one), 'a registration is out of force');
}

function factsOf({ functionName, version, spec }: ActiveRegistration): LogFields {
  return { function: functionName, version, registration: spec.id };
}

/** Every version that an id of some stream may still be routed to. */
function versionsIn(registrations: readonly ActiveRegistration[]): { functionName: string; version: number }[] {
  const versions = new Map<string, { functionName: string; version: number }>();
  for (const { functionName, version, routes } of registrations) {
    for (const wanted of [version, ...routes.map((route) => route.version)]) {
      versions.set(`${functionName}@${wanted}`, { functionName, version: wanted });
    }
  }
  return [...versions.values()];
}
