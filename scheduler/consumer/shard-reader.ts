import type { RedisAccess, Shard } from '#functions';
import type { DeliverySettings } from '../settings.ts';
import type { NodeIdentity } from './contracts.ts';
import { createHotLink, type HotLink, type Track } from './hot-link.ts';
import type { Lane } from './lane.ts';
import { type ReadSink, wantsRead } from './reads.ts';
import type { ConsumedRegistration } from './registration.ts';
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
  /** Reads every lane that no blocking read covers. */
  sweepAll(): void;
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

export function createShardReader(options: ShardReaderOptions): ShardReader {
  const { access, shard, node, settings, sink } = options;
  const tracks = new Map<Lane, Track>();
  const byGroup = new Map<string, Track[]>();
  const hotLinks: HotLink[] = [];
  const cluster = access.facts.topology === 'cluster';
  const sweep: Sweep = createSweep({
    link: access.openRaw(shard, 'regears-sweep'),
    node,
    readCount: settings.readCount,
    readMarginMs: settings.readMarginMs,
    sink,
    onEmpty: coverLater,
  });

  /** A lane that the blocking read of its track has left out gets into the next one. */
  function coverLater(lane: Lane): void {
    const hot = tracks.get(lane)?.hot;
    if (!hot || lane.reading > 0 || !wantsRead(lane)) return;
    if (hot.reading > 0) hot.unblock();
    else hot.pump();
  }

  function groupOf(lane: Lane): string {
    return cluster ? `${access.slotOf(lane.stream)} ${lane.registration.id}` : lane.registration.id;
  }

  function trackFor(lane: Lane): Track {
    const group = groupOf(lane);
    const list = byGroup.get(group) ?? [];
    byGroup.set(group, list);
    let track = list.find(({ lanes }) => lanes.size < LANES_PER_TRACK);
    if (track === undefined) {
      track = { registration: lane.registration, lanes: new Set(), score: 0, hot: null };
      list.push(track);
    }
    return track;
  }

  function idleLink(): HotLink | null {
    const idle = hotLinks.find((hot) => hot.track === null && hot.reading === 0);
    if (idle !== undefined) return idle;
    if (hotLinks.length >= settings.hotReaders) return null;
    const hot = createHotLink({
      ...settings,
      link: access.openRaw(shard, `regears-read-${hotLinks.length}`),
      node,
      sink,
      wake: (clientId) => sweep.unblock(clientId),
    });
    hotLinks.push(hot);
    return hot;
  }

  function assign(track: Track): boolean {
    const hot = idleLink();
    if (hot === null) return false;
    hot.track = track;
    track.hot = hot;
    hot.pump();
    return true;
  }

  function release(track: Track): void {
    const { hot } = track;
    if (hot === null) return;
    track.hot = null;
    hot.track = null;
    hot.unblock();
  }

  function allTracks(): Track[] {
    return [...byGroup.values()].flat();
  }

  return {
    attach(lane) {
      if (tracks.has(lane)) return;
      const track = trackFor(lane);
      track.lanes.add(lane);
      tracks.set(lane, track);
      if (track.hot === null && !assign(track)) sweep.add(lane);
      else if (track.lanes.size > 1) sweep.add(lane);
    },
    detach(lane) {
      const track = tracks.get(lane);
      if (track === undefined) return;
      tracks.delete(lane);
      track.lanes.delete(lane);
      if (lane.reading > 0) track.hot?.unblock();
      if (track.lanes.size > 0) return;
      release(track);
      const group = groupOf(lane);
      const left = (byGroup.get(group) ?? []).filter((other) => other !== track);
      if (left.length > 0) byGroup.set(group, left);
      else byGroup.delete(group);
    },
    nudge(lane) {
      const track = tracks.get(lane);
      if (track === undefined || lane.reading > 0 || !wantsRead(lane)) return;
      if (track.hot !== null && track.hot.reading === 0) track.hot.pump();
      if (lane.reading === 0 && (track.hot !== null || lane.more)) sweep.add(lane);
    },
    kick(registration) {
      sweep.kick();
      for (const hot of hotLinks) if (hot.track?.registration === registration && hot.reading === 0) hot.pump();
    },
    unblock(registration) {
      for (const hot of hotLinks) {
        if (hot.reading > 0 && (hot.track === null || hot.track.registration === registration)) hot.unblock();
      }
    },
    sweepAll() {
      for (const lane of tracks.keys()) if (lane.reading === 0) sweep.add(lane);
    },
    rebalance() {
      const all = allTracks();
      const cold = all.filter((track) => track.hot === null).sort((a, b) => b.score - a.score);
      const hot = all.filter((track) => track.hot !== null).sort((a, b) => a.score - b.score);
      for (const track of cold) {
        if (assign(track)) continue;
        const weakest = hot.shift();
        if (weakest === undefined || track.score <= weakest.score * CLEARLY_BUSIER) break;
        // Its connection is free for the next round, when its read has come back.
        release(weakest);
      }
      for (const track of all) track.score /= 2;
    },
    watch(nowMs) {
      sweep.watch(nowMs);
      for (const hot of hotLinks) hot.watch(nowMs);
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([...hotLinks.map((hot) => hot[Symbol.asyncDispose]()), sweep[Symbol.asyncDispose]()]);
    },
  };
}
