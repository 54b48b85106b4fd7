import { pino } from 'pino';
import {
  type ActiveRegistration,
  connectRedis,
  DEFAULT_LIMITS,
  decodeReply,
  type LoadableVersion,
  type RedisAccess,
  type RegistrationState,
  type StreamTriggerSpec,
} from '../../../functions/index.ts';
import type { EndedEntries, FailedEntry, FailureKind, Invocation, Outcome } from '../../../runtime/index.ts';
import type { Permits } from '../../../scheduler/fleet/fleet.ts';
import { createSchedulerKeys, type SchedulerKeys } from '../../../scheduler/keys.ts';
import type { EntriesJob } from '../../../scheduler/queues/async-queue.ts';
import type { DeliverySettings } from '../../../scheduler/settings.ts';
import { createStreamTrigger, type StreamTrigger } from '../../../scheduler/triggers/stream.ts';
import { waitFor } from '../../support/wait.ts';

export const SETTINGS: DeliverySettings = {
  readCount: 1000,
  readsInFlight: 2,
  hotReaders: 8,
  blockMs: 2000,
  readMarginMs: 3000,
  scanIntervalMs: 100,
  maxAttempts: 5,
  retryIntervalMs: 1000,
  retryCeilingMs: 60_000,
  maxInFlight: 10_000,
  renewAfterMs: 10_000,
  queueVisibilityMs: 60_000,
  drainMs: 1_000,
};

export const REGISTRATION = 'fn/stream/s';

export interface RegistrationOverrides extends Partial<StreamTriggerSpec> {
  readonly id?: string;
  readonly mode?: ActiveRegistration['spec']['mode'];
  readonly state?: RegistrationState;
  readonly active?: Partial<ActiveRegistration>;
}

export function registration(overrides: RegistrationOverrides = {}): ActiveRegistration {
  const { id = REGISTRATION, mode = 'async_local', state = 'running', active = {}, ...trigger } = overrides;
  return {
    functionName: 'fn',
    version: 1,
    state,
    stateReason: null,
    routes: [{ version: 1, madeAtMs: Date.now(), heads: {} }],
    spec: {
      index: 0,
      id,
      reader: 'StreamReader',
      description: null,
      mode,
      trigger: {
        kind: 'stream',
        prefix: 's',
        batch: 1,
        durationMs: 0,
        fromId: '0',
        trimStream: false,
        onFailedPolicy: 'retry',
        retryIntervalMs: 10,
        maxAttempts: 5,
        maxInFlight: 10_000,
        maxAgeMs: null,
        ...trigger,
      },
      steps: [],
      convertToStr: true,
      collect: false,
      hasOnRegistered: false,
    },
    ...active,
  };
}

/** One entry as the handler of a test sees it. */
export interface SeenEntry {
  readonly id: string;
  readonly stream: string;
  readonly fields: Readonly<Record<string, string>>;
  readonly version: number;
}

/** What a test's handler says about an entry. Throwing an Error is a failure of kind `guest`. */
export type Handler = (
  entry: SeenEntry,
) => 'done' | 'filtered' | FailureKind | Promise<'done' | 'filtered' | FailureKind>;

/** A runtime as a plain function: parses the payload and reports what the handler says, entry by entry. */
export function runWith(handler: Handler): (invocation: Invocation) => Promise<Outcome> {
  return async (invocation) => {
    const entries = decodeReply(invocation.payload) as [string, string[]][];
    if (entries.length !== invocation.entryCount) throw new TypeError('entryCount is wrong');
    let failedBefore = false;
    let failed = 0;
    for (const [index, [id, list]] of entries.entries()) {
      const fields = Object.fromEntries(
        Array.from({ length: list.length / 2 }, (_, i) => [list[2 * i], list[2 * i + 1]]),
      );
      const seen = { id, stream: invocation.key, fields, version: invocation.target.version };
      const skip: boolean = invocation.signal.aborted || (failedBefore && invocation.stopAtFailure === true);
      const ended: EndedEntries = skip ? failure(index, 'interrupted') : await endOf(index, seen, handler);
      if (ended.failed.length > 0) failed += 1;
      failedBefore ||= ended.failed.length > 0;
      invocation.onEnded(ended);
    }
    return {
      done: entries.length - failed,
      filtered: 0,
      failed,
      executions: entries.length,
      commands: 0,
      durationMs: 1,
    };
  };
}

async function endOf(index: number, seen: SeenEntry, handler: Handler): Promise<EndedEntries> {
  try {
    const said = await handler(seen);
    if (said === 'done') return { done: [index], filtered: [], failed: [], results: null };
    if (said === 'filtered') return { done: [], filtered: [index], failed: [], results: null };
    return failure(index, said);
  } catch (error) {
    return failure(index, 'guest', error as Error);
  }
}

function failure(index: number, kind: FailureKind, error = new Error(kind)): EndedEntries {
  const failed: FailedEntry = {
    index,
    kind,
    error: { code: 'GUEST_ERROR', name: error.name, message: error.message, stack: String(error.stack) },
  };
  return { done: [], filtered: [], failed: [failed], results: null };
}

export interface TestNode extends AsyncDisposable {
  readonly trigger: StreamTrigger;
  readonly access: RedisAccess;
  readonly keys: SchedulerKeys;
  readonly consumer: string;
  readonly states: {
    readonly ids: readonly string[];
    readonly state: RegistrationState;
    readonly reason: string | null;
  }[];
  readonly jobs: EntriesJob[];
  readonly forgotten: string[];
  /** As if the process had died: nothing is drained, nothing settled any more. */
  kill(): Promise<void>;
  /** Tells this node that a consumer has no living owner. */
  gone(consumer: string): void;
  holdsSlot: boolean;
}

export interface TestNodeOptions {
  readonly url: string;
  readonly execute: (invocation: Invocation) => Promise<Outcome>;
  readonly slot?: number;
  readonly settings?: Partial<DeliverySettings>;
  /** Consumers that live; default only this one. Shared between the nodes of a test. */
  readonly alive?: Set<string>;
  /** Lease owners by registration and stream; shared between the nodes of a test. */
  readonly leases?: Map<string, string>;
  readonly onJobs?: (jobs: readonly EntriesJob[]) => void;
  readonly onSettled?: (registrationId: string) => void;
  /** Shared between the nodes of a test; default: there are none. */
  readonly permits?: Permits;
  /** Comes before each load of a version: may hold it up, or fail it by rejecting. */
  readonly beforeLoad?: () => Promise<void>;
  readonly log?: boolean;
}

const NO_PERMITS: Permits = { take: async () => null, [Symbol.asyncDispose]: async () => undefined };

/** One node's stream trigger with a fleet that says what the test wants. */
export async function startNode(options: TestNodeOptions): Promise<TestNode> {
  const { alive = new Set<string>(), leases = new Map<string, string>() } = options;
  const consumer = `n${options.slot ?? 0}`;
  alive.add(consumer);
  const access = await connectRedis({ url: options.url });
  const keys = createSchedulerKeys('rg:');
  const goneListeners = new Set<(consumer: string) => void>();
  let dead = false;
  const node = { holdsSlot: true };
  const states: TestNode['states'] = [];
  const jobs: EntriesJob[] = [];
  const forgotten: string[] = [];
  const trigger = createStreamTrigger({
    access,
    keys,
    fleet: {
      self: { nodeId: consumer, slot: options.slot ?? 0, consumer, token: 't' },
      holdsSlot: () => node.holdsSlot && !dead,
      isAlive: (name) => alive.has(name),
      onConsumerGone(listener) {
        goneListeners.add(listener);
        return () => goneListeners.delete(listener);
      },
      async forget(name) {
        forgotten.push(name);
      },
    },
    leases: {
      holder: `${consumer}:t`,
      async acquire(id, stream) {
        const owner = leases.get(`${id} ${stream}`);
        if (owner !== undefined && owner !== consumer && alive.has(owner)) return false;
        leases.set(`${id} ${stream}`, consumer);
        return true;
      },
      async release(id, stream) {
        if (leases.get(`${id} ${stream}`) === consumer) leases.delete(`${id} ${stream}`);
      },
      surplus: async () => [],
    },
    queue: {
      async addEntries(more) {
        jobs.push(...more);
        options.onJobs?.(more);
      },
    },
    journal: { count: () => undefined },
    permits: options.permits ?? NO_PERMITS,
    settings: { ...SETTINGS, ...options.settings },
    onSettled: (id) => options.onSettled?.(id),
    caps: { deadLetters: 1000 },
    execute: (invocation) => (dead ? new Promise(() => undefined) : options.execute(muted(invocation, () => dead))),
    async loadable(functionName, version) {
      await options.beforeLoad?.();
      return target(functionName, version);
    },
    async setState(ids, state, reason) {
      states.push({ ids, state, reason });
    },
    log: pino({ level: options.log ? 'debug' : 'silent' }),
  });
  const close = async (): Promise<void> => {
    await trigger[Symbol.asyncDispose]();
    await access[Symbol.asyncDispose]();
  };
  return Object.assign(node, {
    ...{ trigger, access, keys, consumer, states, jobs, forgotten },
    gone(name: string) {
      for (const listener of goneListeners) listener(name);
    },
    async kill() {
      dead = true;
      alive.delete(consumer);
      await close();
    },
    async [Symbol.asyncDispose]() {
      if (!dead) await close();
    },
  });
}

/** What a dead process would still have said is not heard. */
function muted(invocation: Invocation, isDead: () => boolean): Invocation {
  return {
    ...invocation,
    onEnded(ended) {
      if (!isDead()) invocation.onEnded(ended);
    },
  };
}

export function target(functionName: string, version: number): LoadableVersion {
  const artifact = { sha256: '0'.repeat(64), language: 'js', source: '', code: '', sourceMap: null } as const;
  return { functionName, version, artifact, limits: DEFAULT_LIMITS, settings: {} };
}

export interface Ends {
  readonly done: number;
  readonly filtered: number;
  readonly dead: number;
  readonly expired: number;
  readonly lost: number;
}

/** The counted ends of a registration, over all tags. */
export async function endsOf({ access, keys }: Pick<TestNode, 'access' | 'keys'>, id = REGISTRATION): Promise<Ends> {
  const sum = { done: 0, filtered: 0, dead: 0, expired: 0, lost: 0 };
  for (const tag of await access.client.smembers(keys.tags(id))) {
    const stats = await access.client.hgetall(keys.stats(tag, id));
    for (const end of Object.keys(sum) as (keyof Ends)[]) sum[end] += Number(stats[end] ?? 0);
  }
  return sum;
}

export function totalOf({ done, filtered, dead, expired }: Ends): number {
  return done + filtered + dead + expired;
}

/** Waits until so many entries have an end, and returns the ends. */
export function untilEnded(node: Pick<TestNode, 'access' | 'keys'>, total: number, id = REGISTRATION): Promise<Ends> {
  return waitFor(
    async () => {
      const ends = await endsOf(node, id);
      return totalOf(ends) >= total ? ends : null;
    },
    { what: `${total} entries of ${id} have an end` },
  ) as Promise<Ends>;
}

export interface StoredLetter {
  readonly entryId: string;
  readonly reason: string;
  readonly attempts: string;
  readonly errorMessage: string;
  readonly payload: string;
  readonly stream: string;
}

export async function deadLettersOf({ access, keys }: TestNode, id = REGISTRATION): Promise<StoredLetter[]> {
  const letters: StoredLetter[] = [];
  for (const tag of await access.client.smembers(keys.tags(id))) {
    for (const [, list] of await access.client.xrange(keys.dead(tag, id), '-', '+')) {
      letters.push(
        Object.fromEntries(
          Array.from({ length: list.length / 2 }, (_, i) => [list[2 * i], list[2 * i + 1]]),
        ) as unknown as StoredLetter,
      );
    }
  }
  return letters;
}

export async function pendingOf({ access }: TestNode, stream = 's', id = REGISTRATION): Promise<number> {
  const summary = (await access.client.xpending(stream, id)) as [number];
  return summary[0];
}

export async function addEntries(access: RedisAccess, count: number, stream = 's'): Promise<string[]> {
  const ids: string[] = [];
  for (let at = 0; at < count; at += 1000) {
    const pipeline = access.client.pipeline();
    for (let n = at; n < Math.min(count, at + 1000); n += 1) pipeline.xadd(stream, '*', 'n', String(n));
    for (const [, id] of (await pipeline.exec()) ?? []) ids.push(String(id));
  }
  return ids;
}

/** Everything runs, and what was run is kept. */
export function recorder(): { batches: Invocation[]; execute: ReturnType<typeof runWith> } {
  const batches: Invocation[] = [];
  const handler = runWith(() => 'done');
  return {
    batches,
    execute(invocation) {
      batches.push(invocation);
      return handler(invocation);
    },
  };
}
