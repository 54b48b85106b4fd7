/**
 * Keeps commands of one slot in order while the slot changes its owner: what is new waits until everything of that slot
 * that is under way elsewhere has its reply.
 */
export interface SlotGates<Item> {
  /** Lets a new item of `slot` through to `shardId` (true), or keeps it until the slot is free (false). */
  enter(slot: number, shardId: string, item: Item): boolean;
  /** An item of the slot has its reply. */
  leave(slot: number): void;
  /** An item under way was sent on to another shard. */
  divert(slot: number, shardId: string): void;
  /** An item under way has to wait before it is sent again: nothing overtakes it. */
  block(slot: number): void;
  /** That item is sent again, to this shard. */
  unblock(slot: number, shardId: string): void;
  /** Takes out everything that is kept. */
  drain(): readonly Item[];
}

interface Gate<Item> {
  shardId: string;
  underWay: number;
  blocked: number;
  /** Under way at more than one shard. */
  diverted: boolean;
  readonly kept: Item[];
}

/** @param release called with the kept items of a slot, in order, when it has become free. */
export function createSlotGates<Item>(release: (items: readonly Item[]) => void): SlotGates<Item> {
  const gates = new Map<number, Gate<Item>>();
  return {
    enter(slot, shardId, item) {
      const gate = gates.get(slot);
      if (!gate) {
        gates.set(slot, { shardId, underWay: 1, blocked: 0, diverted: false, kept: [] });
        return true;
      }
      if (gate.kept.length > 0 || gate.blocked > 0 || gate.diverted || gate.shardId !== shardId) {
        gate.kept.push(item);
        return false;
      }
      gate.underWay++;
      return true;
    },
    leave(slot) {
      const gate = gates.get(slot);
      if (!gate || --gate.underWay > 0) return;
      gates.delete(slot);
      if (gate.kept.length > 0) release(gate.kept);
    },
    divert(slot, shardId) {
      const gate = gates.get(slot);
      if (gate && gate.shardId !== shardId) gate.diverted = true;
    },
    block(slot) {
      const gate = gates.get(slot);
      if (gate) gate.blocked++;
    },
    unblock(slot, shardId) {
      const gate = gates.get(slot);
      if (!gate) return;
      gate.blocked--;
      if (gate.shardId !== shardId) gate.diverted = true;
    },
    drain() {
      const kept = [...gates.values()].flatMap((gate) => gate.kept);
      gates.clear();
      return kept;
    },
  };
}
