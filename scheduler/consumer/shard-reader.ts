import type { RedisAccess, Shard } from '#functions';
import type { DeliverySettings } from '../settings.ts';
import type { NodeIdentity } from './contracts.ts';
import { createDoorbell, type Doorbell } from './doorbell.ts';
import { createHotLink, type HotLink, type Track } from './hot-link.ts';
import type { Lane } from './lane.ts';
import { type ReadSink, wantsRead } from './reads.ts';
import type { ConsumedRegistration } from './registration.ts';
import { tellsOfStreams } from './stream-news.ts';
import { createSweep, type Sweep } from './sweep.ts';

/** Reads the lanes of one shard. */
export interface ShardReader extends AsyncDisposable {
  attach(lane: Lane): void;
  /** No read begins for the lane any more; `lane.reading` says when none is left. */
  detach(lane: Lane): void;
  /** The lane may be able to take more than a moment ago. */
  nudge(lane: Lane): void;
  /** There is room again in a registration. */
  kick(registration: ConsumedRegistration): void;
  /** Ends waits of reads that cover lanes of the registration. */
  unblock(registration: ConsumedRegistration): void;
  /** Reads every lane that no blocking read covers; those whose news ring are read at every fifth call only. */
  sweepAll(): void;
  /** Looks at lanes nobody waits for, the more often the fewer there are; to be called every 50 ms. */
  sweepCold(nowMs: number): void;
  /** Gives connections to whoever is busiest; to be called every second. */
  rebalance(): void;
  /** Notices reads that do not come back. */
  watch(nowMs: number): void;
}

export interface ShardReaderOptions {
  readonly access: RedisAccess;
  readonly shard: Shard;
  readonly node: NodeIdentity;
  readonly settings: DeliverySettings;
  readonly sink: ReadSink;
}

/** One blocking read over more streams than this costs Redis more than it saves. */
const LANES_PER_TRACK = 64;
/** A busy track takes the connection of one that is so many times less busy. */
const CLEARLY_BUSIER = 2;
/** An empty read costs the server a few microseconds: this keeps looking below one hundredth of its time. */
const COLD_SWEEP_MS_PER_LANE = 0.5;
/** What rings misses nothing but a stream that was made anew with smaller ids. */
const SWEEPS_PER_FULL = 5;

export function createShardReader(options: ShardReaderOptions): ShardReader {
  return new TrackReader(options);
}

class TrackReader implements ShardReader {
  readonly #options: ShardReaderOptions;
  readonly #tracks = new Map<Lane, Track>();
  readonly #byGroup = new Map<string, Track[]>();
  readonly #hotLinks: HotLink[] = [];
  readonly #sweep: Sweep;
  #doorbell: Doorbell | null = null;
  /** Lanes nobody waits for; null = that has changed since they were last asked for. */
  #cold: readonly Lane[] | null = null;
  #nextColdSweepMs = 0;
  #sweeps = 0;

  constructor(options: ShardReaderOptions) {
    const { access, shard, node, settings, sink } = options;
    this.#options = options;
    this.#sweep = createSweep({
      link: access.openRaw(shard, 'regears-sweep'),
      node,
      readCount: settings.readCount,
      readMarginMs: settings.readMarginMs,
      sink,
      onEmpty: (lane) => this.#coverLater(lane),
    });
  }

  attach(lane: Lane): void {
    if (this.#tracks.has(lane)) return;
    const track = this.#trackFor(lane);
    track.lanes.add(lane);
    this.#tracks.set(lane, track);
    this.#cold = null;
    const isAlone = track.lanes.size === 1;
    if (track.hot === null && this.#assign(track) && isAlone) return;
    if (isAlone && track.hot !== null) track.hot.pump();
    else this.#sweep.add(lane);
    if (track.hot === null) this.#ringsFor()?.wake();
  }

  detach(lane: Lane): void {
    const track = this.#tracks.get(lane);
    if (track === undefined) return;
    this.#tracks.delete(lane);
    this.#cold = null;
    track.lanes.delete(lane);
    if (lane.reading > 0) track.hot?.unblock();
    if (track.lanes.size > 0) return;
    this.#release(track);
    const group = this.#groupOf(lane);
    const left = (this.#byGroup.get(group) ?? []).filter((other) => other !== track);
    if (left.length > 0) this.#byGroup.set(group, left);
    else this.#byGroup.delete(group);
  }

  nudge(lane: Lane): void {
    const track = this.#tracks.get(lane);
    if (track === undefined || lane.reading > 0 || !wantsRead(lane)) return;
    if (track.hot !== null && track.hot.reading === 0) track.hot.pump();
    if (lane.reading === 0 && (track.hot !== null || lane.more)) this.#sweep.add(lane);
  }

  kick(registration: ConsumedRegistration): void {
    this.#sweep.kick();
    for (const hot of this.#hotLinks) if (hot.track?.registration === registration && hot.reading === 0) hot.pump();
  }

  unblock(registration: ConsumedRegistration): void {
    for (const hot of this.#hotLinks) {
      if (hot.reading > 0 && (hot.track === null || hot.track.registration === registration)) hot.unblock();
    }
  }

  sweepAll(): void {
    this.#sweeps += 1;
    const doorbell = this.#sweeps % SWEEPS_PER_FULL === 0 ? null : this.#doorbell;
    for (const lane of this.#tracks.keys()) {
      if (lane.reading === 0 && doorbell?.covers(lane) !== true) this.#sweep.add(lane);
    }
  }

  sweepCold(nowMs: number): void {
    // Links that found no room while other streams of their registration were being read.
    for (const hot of this.#hotLinks) if (hot.track !== null && hot.reading === 0) hot.pump();
    if (nowMs < this.#nextColdSweepMs || this.#isToldOfStreams() || this.#doorbell !== null) return;
    const cold = this.#coldLanes();
    this.#nextColdSweepMs = nowMs + cold.length * COLD_SWEEP_MS_PER_LANE;
    for (const lane of cold) if (lane.reading === 0) this.#sweep.add(lane);
  }

  rebalance(): void {
    const all = [...this.#byGroup.values()].flat();
    const cold = all.filter((track) => track.hot === null).sort((a, b) => b.score - a.score);
    const hot = all.filter((track) => track.hot !== null).sort((a, b) => a.score - b.score);
    for (const track of cold) {
      if (this.#assign(track)) continue;
      const weakest = hot.shift();
      if (weakest === undefined || track.score <= weakest.score * CLEARLY_BUSIER) break;
      // Its connection is free for the next round, when its read has come back.
      this.#release(weakest);
    }
    for (const track of all) track.score /= 2;
    if (all.some((track) => track.hot === null)) this.#ringsFor()?.wake();
  }

  watch(nowMs: number): void {
    this.#sweep.watch(nowMs);
    for (const hot of this.#hotLinks) hot.watch(nowMs);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const links = [...this.#hotLinks, this.#sweep, ...(this.#doorbell === null ? [] : [this.#doorbell])];
    await Promise.all(links.map((link) => link[Symbol.asyncDispose]()));
  }

  /** A lane that the blocking read of its track has left out gets into the next one. */
  #coverLater(lane: Lane): void {
    const hot = this.#tracks.get(lane)?.hot;
    if (!hot || lane.reading > 0 || !wantsRead(lane)) return;
    if (hot.reading > 0) hot.unblock();
    else hot.pump();
  }

  #isToldOfStreams(): boolean {
    return tellsOfStreams(this.#options.access.facts.notifications);
  }

  #coldLanes(): readonly Lane[] {
    this.#cold ??= [...this.#tracks].filter(([, track]) => track.hot === null).map(([lane]) => lane);
    return this.#cold;
  }

  /** None where the server tells of writes by itself, and on a cluster, where one command cannot wait for many slots. */
  #ringsFor(): Doorbell | null {
    const { access, shard, sink } = this.#options;
    if (access.facts.topology === 'cluster' || this.#isToldOfStreams()) return null;
    this.#doorbell ??= createDoorbell({
      link: access.openRaw(shard, 'regears-doorbell'),
      lanes: () => this.#coldLanes(),
      onRing: (lane) => {
        lane.more = true;
        this.nudge(lane);
      },
      log: sink.log,
    });
    return this.#doorbell;
  }

  /** What one command can read: streams of one registration, on a cluster of one slot. */
  #groupOf(lane: Lane): string {
    const { access } = this.#options;
    const { id } = lane.registration;
    return access.facts.topology === 'cluster' ? `${access.slotOf(lane.stream)} ${id}` : id;
  }

  #trackFor(lane: Lane): Track {
    const group = this.#groupOf(lane);
    const list = this.#byGroup.get(group) ?? [];
    this.#byGroup.set(group, list);
    const open = list.find(({ lanes }) => lanes.size < LANES_PER_TRACK);
    if (open !== undefined) return open;
    const track: Track = { registration: lane.registration, lanes: new Set(), score: 0, hot: null };
    list.push(track);
    return track;
  }

  #idleLink(): HotLink | null {
    const { access, shard, node, settings, sink } = this.#options;
    const idle = this.#hotLinks.find((hot) => hot.track === null && hot.reading === 0);
    if (idle !== undefined) return idle;
    if (this.#hotLinks.length >= settings.hotReaders) return null;
    const hot = createHotLink({
      ...settings,
      link: access.openRaw(shard, `regears-read-${this.#hotLinks.length}`),
      node,
      sink,
      wake: (clientId) => this.#sweep.unblock(clientId),
    });
    this.#hotLinks.push(hot);
    return hot;
  }

  #assign(track: Track): boolean {
    const hot = this.#idleLink();
    if (hot === null) return false;
    hot.track = track;
    track.hot = hot;
    this.#cold = null;
    hot.pump();
    return true;
  }

  #release(track: Track): void {
    const { hot } = track;
    if (hot === null) return;
    track.hot = null;
    this.#cold = null;
    hot.track = null;
    hot.unblock();
  }
}
