import { PlatformError } from '../errors.ts';
import type { ClusterTopology } from './cluster-topology.ts';
import { type Redirection, redirectionOf, repliesOf, splitUnits, type Unit } from './cluster-units.ts';
import type { CommandTable } from './command-table.ts';
import type { CommandPipe, RawLink } from './raw-link.ts';
import type { Shard } from './redis-access.ts';
import { replyStarts } from './resp/scan.ts';
import { createSlotGates, type SlotGates } from './slot-gates.ts';

export interface ClusterPipeOptions {
  readonly topology: ClusterTopology;
  readonly table: CommandTable;
  openLink(shard: Shard): RawLink;
}

/** After so many redirections a command gets the last one as its reply. */
const MAX_REDIRECTIONS = 16;
/** For so long a cluster that says "later" (a failover, a slot on its way) is asked again. */
const MAX_LATER_MS = 30_000;
const LATER_PAUSE_MS = 50;
const ASKING = '*1\r\n$6\r\nASKING\r\n';

/** One unit on its way to its reply. */
interface Journey {
  readonly unit: Unit;
  readonly startedAt: number;
  redirections: number;
  settle(reply: string): void;
  fail(error: unknown): void;
}

interface Leg {
  readonly journey: Journey;
  readonly asking: boolean;
}

/** A pipe over one link per shard; links are opened when first needed and closed when their shard is gone. */
export function createClusterPipe(options: ClusterPipeOptions): CommandPipe {
  return new ClusterPipe(options);
}

class ClusterPipe implements CommandPipe {
  readonly #options: ClusterPipeOptions;
  readonly #links = new Map<string, RawLink>();
  readonly #gates: SlotGates<Journey>;
  readonly #stopListening: () => void;
  readonly #timers = new Set<NodeJS.Timeout>();
  readonly #delayed = new Set<Journey>();
  #closed = false;

  constructor(options: ClusterPipeOptions) {
    this.#options = options;
    this.#gates = createSlotGates((journeys) => this.#dispatch(journeys));
    this.#stopListening = options.topology.onChange(() => this.#dropStaleLinks());
  }

  send(commands: string, replies: number, groups: readonly (readonly [number, number])[] = []): Promise<string> {
    if (this.#closed) return Promise.reject(closedError());
    if (replies === 0) return Promise.resolve('');
    const { table } = this.#options;
    return new Promise((resolve, reject) => {
      const units = splitUnits(commands, replies, { table, groups });
      const answers: string[] = new Array<string>(units.length);
      let open = units.length;
      const settle = (index: number, answer: string): void => {
        answers[index] = answer;
        if (--open === 0) resolve(answers.join(''));
      };
      const startedAt = performance.now();
      const journeys: Journey[] = [];
      units.forEach((unit, index) => {
        const journey = { unit, startedAt, redirections: 0, settle: settle.bind(null, index), fail: reject };
        if (unit.refusal !== null) settle(index, unit.refusal);
        else journeys.push(journey);
      });
      this.#dispatch(journeys);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    this.#stopListening();
    for (const timer of this.#timers) clearTimeout(timer);
    for (const journey of [...this.#delayed, ...this.#gates.drain()]) journey.fail(closedError());
    this.#delayed.clear();
    const links = [...this.#links.values()];
    this.#links.clear();
    await Promise.all(links.map((link) => link[Symbol.asyncDispose]()));
  }

  /** Sends new journeys to the owners of their slots, all of one shard in one text. */
  #dispatch(journeys: readonly Journey[]): void {
    const byShard = new Map<Shard, Leg[]>();
    for (const journey of journeys) {
      const shard = this.#ownerOf(journey.unit);
      if (!this.#gates.enter(journey.unit.slot, shard.id, journey)) continue;
      addLeg(byShard, shard, { journey, asking: false });
    }
    for (const [shard, legs] of byShard) this.#travel(shard, legs);
  }

  /** Commands without keys take the same shard, so that they keep their order, unless that one is away. */
  #ownerOf(unit: Unit): Shard {
    const { topology } = this.#options;
    const owner = topology.ownerOf(Math.max(0, unit.slot));
    if (unit.slot >= 0 || this.#links.get(owner.id)?.connected !== false) return owner;
    return topology.shards().find(({ id }) => this.#links.get(id)?.connected === true) ?? owner;
  }

  #travel(shard: Shard, legs: readonly Leg[]): void {
    const text = legs.map(({ journey, asking }) => (asking ? ASKING : '') + journey.unit.text).join('');
    const replies = legs.reduce((sum, { journey, asking }) => sum + journey.unit.replies + (asking ? 1 : 0), 0);
    this.#linkTo(shard)
      .send(text, replies)
      .then(
        (answer) => this.#arrive(shard, legs, answer),
        (error: unknown) => this.#lose(legs, error),
      );
  }

  #arrive(shard: Shard, legs: readonly Leg[], answer: string): void {
    const total = legs.reduce((sum, { journey, asking }) => sum + journey.unit.replies + (asking ? 1 : 0), 0);
    const starts = replyStarts(answer, total);
    const onward = new Map<Shard, Leg[]>();
    let at = 0;
    for (const { journey, asking } of legs) {
      const { unit } = journey;
      const from = at + (asking ? 1 : 0);
      at = from + unit.replies;
      const reply = answer.slice(starts[from], starts[at]);
      const redirection = redirectionOf(reply, unit);
      if (!redirection || !this.#redirect({ journey, shard, redirection }, onward)) {
        this.#gates.leave(unit.slot);
        journey.settle(repliesOf(reply, unit));
      }
    }
    for (const [next, nextLegs] of onward) this.#travel(next, nextLegs);
  }

  /** Plans the next leg of a journey; false when it has had enough of them. */
  #redirect({ journey, shard, redirection }: Turn, onward: Map<Shard, Leg[]>): boolean {
    const { topology } = this.#options;
    if (this.#closed) return false;
    journey.redirections++;
    if (redirection.kind === 'later') {
      if (performance.now() - journey.startedAt > MAX_LATER_MS) return false;
      this.#again(journey);
      return true;
    }
    if (journey.redirections > MAX_REDIRECTIONS) return false;
    const id = `${redirection.host || shard.host}:${redirection.port}`;
    // A guest's script can answer with a redirection of its own making: only addresses of this cluster are followed.
    if (!topology.knows(id) || id === shard.id) {
      this.#again(journey);
      return true;
    }
    const next = { id, host: redirection.host || shard.host, port: redirection.port };
    if (redirection.kind === 'moved' && redirection.slot === journey.unit.slot) topology.note(journey.unit.slot, id);
    if (redirection.kind === 'moved') void topology.refresh();
    this.#gates.divert(journey.unit.slot, id);
    const known = [...onward.keys()].find((other) => other.id === id) ?? next;
    addLeg(onward, known, { journey, asking: redirection.kind === 'ask' });
    return true;
  }

  /** Asks the cluster for its topology and, after a pause, sends the journey to whoever owns its slot by then. */
  #again(journey: Journey): void {
    const { topology } = this.#options;
    this.#gates.block(journey.unit.slot);
    this.#delayed.add(journey);
    const timer = setTimeout(async () => {
      this.#timers.delete(timer);
      await topology.refresh();
      if (!this.#delayed.delete(journey)) return;
      const shard = this.#ownerOf(journey.unit);
      this.#gates.unblock(journey.unit.slot, shard.id);
      this.#travel(shard, [{ journey, asking: false }]);
    }, LATER_PAUSE_MS);
    this.#timers.add(timer);
  }

  /** What was never written goes to the present owner of its slot; what is in doubt is the caller's to decide. */
  #lose(legs: readonly Leg[], error: unknown): void {
    const unwritten = error instanceof PlatformError && error.details.written === false && !this.#closed;
    for (const { journey } of legs) {
      if (unwritten) {
        this.#again(journey);
        continue;
      }
      this.#gates.leave(journey.unit.slot);
      journey.fail(error);
    }
  }

  #linkTo(shard: Shard): RawLink {
    const existing = this.#links.get(shard.id);
    if (existing) return existing;
    const link = this.#options.openLink(shard);
    this.#links.set(shard.id, link);
    return link;
  }

  #dropStaleLinks(): void {
    for (const [id, link] of this.#links) {
      if (this.#options.topology.shards().some((shard) => shard.id === id)) continue;
      // A demoted or removed node that still answers is left to answer what it was asked.
      if (link.connected && this.#options.topology.knows(id)) continue;
      this.#links.delete(id);
      void link[Symbol.asyncDispose]();
    }
  }
}

interface Turn {
  readonly journey: Journey;
  readonly shard: Shard;
  readonly redirection: Redirection;
}

function addLeg(legs: Map<Shard, Leg[]>, shard: Shard, leg: Leg): void {
  const list = legs.get(shard);
  if (list) list.push(leg);
  else legs.set(shard, [leg]);
}

function closedError(): PlatformError<'REDIS_LINK_LOST'> {
  return new PlatformError('REDIS_LINK_LOST', 'the pipe has been closed', { details: { written: false } });
}
