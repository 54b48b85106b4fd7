import type { ConsumerLog, NodeIdentity } from './contracts.ts';
import { type Lane, nodeNameOf } from './lane.ts';
import { isLinkLost, type RedisCalls } from './redis-calls.ts';
import type { Recovery } from './recovery.ts';
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
  readonly registrations: () => Iterable<ConsumedRegistration>;
  /** Tries to get the leases of streams that others have read. */
  readonly retryIdle: () => void;
  readonly forget: (consumer: string) => Promise<void>;
  readonly log: ConsumerLog;
}

const LANES_AT_ONCE = 32;

export function createTakeover(options: TakeoverOptions): Takeover {
  const { calls, node, recovery, log } = options;
  const busy = new Set<string>();

  function* lanes(): Generator<Lane> {
    for (const registration of options.registrations()) yield* registration.lanes.values();
  }

  /** Entries that are left under the name, over all lanes. */
  async function takeAll(consumer: string): Promise<number> {
    let left = 0;
    const todo = lanes();
    const worker = async (): Promise<void> => {
      for (const lane of todo) left += await recovery.takeOver(lane, consumer);
    };
    await Promise.all(Array.from({ length: LANES_AT_ONCE }, worker));
    return left;
  }

  async function take(consumer: string): Promise<void> {
    options.retryIdle();
    const left = await takeAll(consumer);
    if (left > 0 || node.isAlive(consumer)) return;
    await options.forget(consumer);
    log.info({ consumer }, 'everything of a dead node has been taken over');
  }

  async function strays(lane: Lane): Promise<void> {
    const rows = (await calls
      .call(['XINFO', 'CONSUMERS', lane.stream, lane.registration.group])
      .catch((error: unknown) => {
        if (isLinkLost(error)) throw error;
        return [];
      })) as unknown[][];
    for (const row of rows) {
      const name = nodeNameOf(String(row[1]));
      if (name !== node.consumer() && !node.isAlive(name) && !busy.has(name)) await recovery.takeOver(lane, name);
    }
  }

  return {
    onGone(consumer) {
      if (busy.has(consumer) || consumer === node.consumer() || !node.mayAct()) return;
      busy.add(consumer);
      take(consumer)
        .catch((error: unknown) => {
          if (!isLinkLost(error)) log.error({ err: error, consumer }, 'a dead node could not be taken over');
        })
        .finally(() => busy.delete(consumer));
    },
    async findStrays() {
      if (!node.mayAct()) return;
      const todo = lanes();
      const worker = async (): Promise<void> => {
        for (const lane of todo) if (lane.state === 'ready') await strays(lane);
      };
      await Promise.all(Array.from({ length: LANES_AT_ONCE }, worker));
    },
  };
}
