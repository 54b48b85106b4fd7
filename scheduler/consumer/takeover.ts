import type { ConsumerLog, NodeIdentity } from './contracts.ts';
import { type Lane, modeOf, nodeNameOf } from './lane.ts';
import type { Lanes } from './lanes.ts';
import type { Recovery } from './recovery.ts';
import { isLinkLost, type RedisCalls } from './redis-calls.ts';
import type { ConsumedRegistration } from './registration.ts';

/** Takes over what dead nodes have left. */
export interface Takeover {
  /** A consumer name has no living owner; may be said again and again. */
  onGone(consumer: string): void;
  /** Looks through all groups for names without a living owner that nobody has told of. */
  findStrays(): Promise<void>;
}

export interface TakeoverOptions {
  readonly calls: RedisCalls;
  readonly node: NodeIdentity;
  readonly recovery: Recovery;
  readonly lanes: Pick<Lanes, 'open'>;
  readonly registrations: () => Iterable<ConsumedRegistration>;
  /** Tries to get the leases of streams that others have read. */
  readonly retryIdle: (registration: ConsumedRegistration) => void;
  readonly forget: (consumer: string) => Promise<void>;
  readonly log: ConsumerLog;
}

const LANES_AT_ONCE = 32;
const FIRST_PAUSE_MS = 200;
const LONGEST_PAUSE_MS = 10_000;

/** What is left after one pass is tried again after a while, less and less often. */
function createPatience(): { isOver(name: string): boolean; wait(name: string): void; end(name: string): void } {
  const waits = new Map<string, { readonly pauseMs: number; readonly untilMs: number }>();
  return {
    isOver: (name) => performance.now() >= (waits.get(name)?.untilMs ?? 0),
    wait(name) {
      const pauseMs = Math.min(LONGEST_PAUSE_MS, (waits.get(name)?.pauseMs ?? FIRST_PAUSE_MS / 2) * 2);
      waits.set(name, { pauseMs, untilMs: performance.now() + pauseMs });
    },
    end: (name) => void waits.delete(name),
  };
}

export function createTakeover(options: TakeoverOptions): Takeover {
  const { calls, node, recovery, log } = options;
  const busy = new Set<string>();
  const patience = createPatience();

  function* lanes(): Generator<Lane> {
    for (const registration of options.registrations()) yield* registration.lanes.values();
  }

  /** Entries that are left under the name, over all lanes. */
  async function takeAll(consumer: string): Promise<number> {
    let left = 0;
    const remaining = lanes();
    const worker = async (): Promise<void> => {
      for (const lane of remaining) {
        const rest = await recovery.takeOver(lane, consumer);
        left += rest;
      }
    };
    await Promise.all(Array.from({ length: LANES_AT_ONCE }, worker));
    return left;
  }

  async function take(consumer: string): Promise<void> {
    for (const registration of options.registrations()) options.retryIdle(registration);
    const left = await takeAll(consumer);
    if (left > 0 || node.isAlive(consumer)) {
      patience.wait(consumer);
      return;
    }
    patience.end(consumer);
    await options.forget(consumer);
    log.info({ consumer }, 'everything of a node that is gone has been taken over');
  }

  async function strays(lane: Lane): Promise<void> {
    const consumers = await consumersOf(calls, lane);
    if (holdsForeign(lane, consumers, node.consumer())) options.lanes.open(lane);
    for (const { name: consumer } of consumers) {
      const name = nodeNameOf(consumer);
      if (name !== node.consumer() && !node.isAlive(name) && !busy.has(name)) await recovery.takeOver(lane, name);
    }
  }

  return {
    onGone(consumer) {
      if (busy.has(consumer) || consumer === node.consumer() || !node.mayAct()) return;
      if (!patience.isOver(consumer)) return;
      busy.add(consumer);
      take(consumer)
        .catch((error: unknown) => {
          if (!isLinkLost(error)) log.error({ err: error, consumer }, 'a dead node could not be taken over');
        })
        .finally(() => busy.delete(consumer));
    },
    async findStrays() {
      if (!node.mayAct()) return;
      const remaining = lanes();
      const worker = async (): Promise<void> => {
        for (const lane of remaining) if (lane.state === 'ready') await strays(lane);
      };
      await Promise.all(Array.from({ length: LANES_AT_ONCE }, worker));
    },
  };
}

/** Mode `sync`: what a node without the lease has been given nobody would run; opening the lane takes it up. */
function holdsForeign(lane: Lane, consumers: readonly GroupMember[], self: string): boolean {
  if (modeOf(lane) !== 'sync' || !lane.holdsLease) return false;
  return consumers.some(({ name, pending }) => name !== self && pending > 0);
}

interface GroupMember {
  readonly name: string;
  readonly pending: number;
}

async function consumersOf(calls: RedisCalls, lane: Lane): Promise<readonly GroupMember[]> {
  const rows = await calls
    .call(['XINFO', 'CONSUMERS', lane.stream, lane.registration.group])
    .catch((error: unknown) => {
      if (isLinkLost(error)) throw error;
      return []; // The stream or its group has gone.
    });
  return (rows as unknown[][]).map((row) => ({ name: String(row[1]), pending: Number(row[3]) }));
}
