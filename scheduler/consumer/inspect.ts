import { utf8FromLatin1 } from '#functions';
import { type Lane, type LaneState, modeOf } from './lane.ts';
import { isLinkLost, type RedisCalls } from './redis-calls.ts';
import type { ConsumedRegistration } from './registration.ts';

/** One stream of one registration as this node sees it. */
export interface LaneReport {
  readonly registrationId: string;
  readonly stream: string;
  readonly mode: string;
  readonly state: LaneState;
  readonly running: boolean;
  /** Entries nobody has read yet; null when the server cannot tell. */
  readonly lag: number | null;
  /** Entries of the group without an end, over all nodes. */
  readonly pending: number | null;
  /** Entries in work on this node, and entries that wait here for a retry. */
  readonly inWork: number;
  readonly waiting: number;
}

/** Reports on at most so many lanes: it is for people. */
const MOST_LANES = 1_000;

export async function inspectLanes(
  calls: RedisCalls,
  registrations: Iterable<ConsumedRegistration>,
): Promise<readonly LaneReport[]> {
  const lanes = [...registrations].flatMap((registration) => [...registration.lanes.values()]).slice(0, MOST_LANES);
  return Promise.all(lanes.map((lane) => reportOf(calls, lane)));
}

async function reportOf(calls: RedisCalls, lane: Lane): Promise<LaneReport> {
  const { registration, stream } = lane;
  const group = await groupInfo(calls, lane);
  return {
    registrationId: registration.id,
    stream: utf8FromLatin1(stream),
    mode: modeOf(lane),
    state: lane.state,
    running: registration.running,
    lag: numberOr(group.get('lag')),
    pending: numberOr(group.get('pending')),
    inWork: [...lane.runs].reduce((sum, run) => sum + run.batch.ids.length, 0),
    waiting: lane.waiting.size,
  };
}

async function groupInfo(calls: RedisCalls, lane: Lane): Promise<ReadonlyMap<unknown, unknown>> {
  const rows = (await calls.call(['XINFO', 'GROUPS', lane.stream]).catch((error: unknown) => {
    if (isLinkLost(error)) throw error;
    return [];
  })) as unknown[][];
  for (const row of rows) {
    const fields = new Map<unknown, unknown>();
    for (let i = 0; i + 1 < row.length; i += 2) fields.set(row[i], row[i + 1]);
    if (fields.get('name') === lane.registration.group) return fields;
  }
  return new Map();
}

function numberOr(value: unknown): number | null {
  return typeof value === 'number' ? value : null;
}
