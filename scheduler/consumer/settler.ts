import { compareEntryIds, decodeReply, defineScript, latin1FromUtf8 } from '#functions';
import type { DeadLetter, EndCounts } from '../delivery.ts';
import type { SchedulerKeys } from '../keys.ts';
import type { ConsumerLog, LeaseTable, NodeIdentity } from './contracts.ts';
import { type Lane, modeOf } from './lane.ts';
import { isLinkLost, pause, type RedisCalls } from './redis-calls.ts';

const SETTLE = defineScript('settle', new URL('./scripts/settle.lua', import.meta.url));
/** Entries given to one script call at most; more are split, so that Redis is never held for long. */
const MOST_IDS = 20_000;
const SLOT_POLL_MS = 20;
/** Ends of this many entries at once are worth a script call of their own. */
const WORTH_A_CALL = 32;
/**
 * Single ends wait so long for others: a script call costs Redis ten times what the entry's own commands do. Only where
 * nobody waits for it: in mode `async_local`, and while more of the same run is to come.
 */
const GATHER_MS = 2;

/** Ends of entries of one lane. */
export interface Ends {
  readonly done?: readonly string[];
  readonly filtered?: readonly string[];
  readonly expired?: readonly string[];
  readonly dead?: readonly DeadLetter[];
  /** Ids that may have a note in `keys.failures`. */
  readonly noted?: readonly string[];
  /** More ends of the same run are to come, and whoever waits for these waits for those too. */
  readonly more?: boolean;
}

export interface Settler {
  /**
   * Acknowledges and counts, at the latest some ms later; in one script call what comes until then. Resolves when Redis has it (outages of any length); false
   * when another node holds the stream's lease, so that nothing was settled. Rejects with REDIS_LINK_LOST after closing.
   */
  settle(lane: Lane, ends: Ends): Promise<boolean>;
  close(): void;
}

export interface SettlerOptions {
  readonly calls: RedisCalls;
  readonly keys: SchedulerKeys;
  readonly node: NodeIdentity;
  readonly leases: Pick<LeaseTable, 'holder'>;
  readonly deadLetterCap: number;
  /** Called after entries of a lane were settled, with how many got their end now. */
  readonly onSettled: (lane: Lane, ends: EndCounts) => void;
  readonly log: ConsumerLog;
}

interface Gathered {
  done: readonly string[];
  filtered: readonly string[];
  expired: readonly string[];
  dead: readonly DeadLetter[];
  noted: readonly string[];
  entries: number;
  readonly settled: PromiseWithResolvers<boolean>;
}

/** The one place where an entry gets its end. */
export function createSettler(options: SettlerOptions): Settler {
  const gathered = new Map<Lane, Gathered>();
  const closing = new AbortController();
  let flushing = false;
  let timer: NodeJS.Timeout | null = null;

  function flush(): void {
    flushing = false;
    if (timer !== null) clearTimeout(timer);
    timer = null;
    const batches = [...gathered];
    gathered.clear();
    for (const [lane, ends] of batches) {
      commit(lane, ends).then(ends.settled.resolve, ends.settled.reject);
    }
  }

  function flushSoon(ends: Gathered, mayWait: boolean): void {
    if (flushing) return;
    if (mayWait && ends.entries < WORTH_A_CALL) {
      timer ??= setTimeout(flush, GATHER_MS);
      return;
    }
    flushing = true;
    queueMicrotask(flush);
  }

  async function commit(lane: Lane, ends: Gathered): Promise<boolean> {
    while (!options.node.mayAct()) await pause(SLOT_POLL_MS, closing.signal);
    raiseSettledId(lane, ends);
    const reply = await options.calls.script(SETTLE, keysOf(options.keys, lane), argsOf(lane, ends, options));
    if (reply.startsWith('*1')) return false;
    options.onSettled(lane, endCountsOf(reply));
    return true;
  }

  return {
    settle(lane, ends) {
      let open = gathered.get(lane);
      if (open === undefined || open.entries >= MOST_IDS) {
        if (open !== undefined) flush();
        open = nothingGathered();
        gathered.set(lane, open);
      }
      open.done = joined(open.done, ends.done);
      open.filtered = joined(open.filtered, ends.filtered);
      open.expired = joined(open.expired, ends.expired);
      open.dead = joined(open.dead, ends.dead);
      open.noted = joined(open.noted, ends.noted);
      open.entries = open.done.length + open.filtered.length + open.expired.length + open.dead.length;
      flushSoon(open, ends.more === true || modeOf(lane) === 'async_local');
      return open.settled.promise.catch((error: unknown) => {
        if (!isLinkLost(error)) options.log.error({ err: error, stream: lane.stream }, 'entries could not be settled');
        throw error;
      });
    },
    close: () => closing.abort(),
  };
}

/** `{done, filtered, expired, dead}` of the script. */
function endCountsOf(reply: string): EndCounts {
  const [done = 0, filtered = 0, expired = 0, dead = 0] = decodeReply(reply) as readonly number[];
  return { done, filtered, expired, dead };
}

function nothingGathered(): Gathered {
  const settled = Promise.withResolvers<boolean>();
  return { done: [], filtered: [], expired: [], dead: [], noted: [], entries: 0, settled };
}

function joined<T>(list: readonly T[], more: readonly T[] | undefined): readonly T[] {
  if (more === undefined || more.length === 0) return list;
  return list.length === 0 ? more : list.concat(more);
}

/** Ids of one list ascend nearly always: looking at the last of each is enough for a mark that need not be exact. */
function raiseSettledId(lane: Lane, ends: Gathered): void {
  const lasts = [ends.done.at(-1), ends.filtered.at(-1), ends.expired.at(-1), ends.dead.at(-1)?.entryId];
  for (const id of lasts) {
    if (id !== undefined && (lane.settledId === '' || compareEntryIds(id, lane.settledId) > 0))
      lane.settledId = copyOf(id);
  }
}

/** Ids are slices of whole replies; one that is kept must not keep its reply. */
function copyOf(id: string): string {
  return Buffer.from(id, 'latin1').toString('latin1');
}

function keysOf(keys: SchedulerKeys, lane: Lane): string[] {
  const { tag, stream, registration } = lane;
  const { group } = registration;
  return [
    stream,
    keys.stats(tag, group),
    keys.position(tag, group),
    keys.dead(tag, group),
    keys.failures(tag, group),
    keys.lease(tag, group),
  ];
}

function argsOf(lane: Lane, ends: Gathered, options: SettlerOptions): string[] {
  const fenced = modeOf(lane) === 'sync' && lane.holdsLease ? options.leases.holder : '';
  const args = [
    lane.registration.group,
    lane.stream,
    lane.settledId || '0-0',
    fenced,
    String(options.deadLetterCap),
    String(ends.done.length),
    String(ends.filtered.length),
    String(ends.expired.length),
    String(ends.dead.length),
    String(ends.noted.length),
    ...ends.done,
    ...ends.filtered,
    ...ends.expired,
  ];
  for (const letter of ends.dead) {
    const texts = letterTexts(letter);
    args.push(letter.entryId, String(texts.length), ...texts);
  }
  for (const id of ends.noted) args.push(`${lane.stream} ${id}`);
  return args;
}

/** Fields and values of a dead letter as it is stored; all latin1. */
function letterTexts(letter: DeadLetter): string[] {
  const { stream, payload, ...texts } = letter;
  const pairs = Object.entries(texts).flatMap(([name, value]) => [name, latin1FromUtf8(String(value))]);
  return [...pairs, 'stream', stream, 'payload', payload];
}
