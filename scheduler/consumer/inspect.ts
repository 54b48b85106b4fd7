import { unreadEntries, utf8FromLatin1 } from '#functions';
import { type Lane, type LaneState, modeOf } from './lane.ts';
import { isLinkLost, type RedisCalls } from './redis-calls.ts';
import type { ConsumedRegistration } from './registration.ts';

/** One stream of one registration, as far as this node knows it by itself. */
export interface LaneFacts {
  readonly registrationId: string;
  readonly stream: string;
  readonly mode: string;
  readonly state: LaneState;
  readonly running: boolean;
  /** Entries in work on this node, and entries that wait here for a retry. */
  readonly inWork: number;
  readonly waiting: number;
  /** Waiting ones whose time has come. */
  readonly due: number;
}

/** One stream of one registration as this node sees it. */
export interface LaneReport extends LaneFacts {
  /** Entries nobody has read yet, at most; exactly so many with `lagIsExact`. Null when stream or group has gone. */
  readonly lag: number | null;
  readonly lagIsExact: boolean;
  /** Entries of the group without an end, over all nodes. */
  readonly pending: number | null;
}

/** Entries of a registration that wait on this node for a retry. */
export interface WaitingRetries {
  readonly registrationId: string;
  readonly waiting: number;
  readonly due: number;
}

/** Reports on at most so many lanes: it is for people. */
const MOST_LANES = 1_000;

export async function inspectLanes(
  calls: RedisCalls,
  registrations: Iterable<ConsumedRegistration>,
): Promise<readonly LaneReport[]> {
  return Promise.all(
    lanesOf(registrations)
      .slice(0, MOST_LANES)
      .map((lane) => reportOf(calls, lane)),
  );
}

/** What is known without asking Redis. */
export function laneFacts(registrations: Iterable<ConsumedRegistration>): readonly LaneFacts[] {
  return lanesOf(registrations).map(factsOf);
}

/** Costs nothing where nothing waits, however many streams there are. */
export function waitingRetries(registrations: Iterable<ConsumedRegistration>): readonly WaitingRetries[] {
  return [...registrations].flatMap(({ id, waiting, lanes }) => {
    if (waiting === 0) return [];
    const due = [...lanes.values()].reduce((sum, lane) => sum + lane.due, 0);
    return [{ registrationId: id, waiting, due }];
  });
}

function lanesOf(registrations: Iterable<ConsumedRegistration>): Lane[] {
  return [...registrations].flatMap((registration) => [...registration.lanes.values()]);
}

function factsOf(lane: Lane): LaneFacts {
  const { registration, stream } = lane;
  return {
    registrationId: registration.id,
    stream: utf8FromLatin1(stream),
    mode: modeOf(lane),
    state: lane.state,
    running: registration.running,
    inWork: [...lane.runs].reduce((sum, run) => sum + run.batch.ids.length, 0),
    waiting: lane.waiting.size,
    due: lane.due,
  };
}

async function reportOf(calls: RedisCalls, lane: Lane): Promise<LaneReport> {
  const [facts, group] = await Promise.all([streamInfo(calls, lane), groupInfo(calls, lane)]);
  const unread = unreadEntries(facts, group);
  return {
    ...factsOf(lane),
    lag: unread?.atMost ?? null,
    lagIsExact: unread?.exact ?? false,
    pending: numberOr(group.get('pending')),
  };
}

type Fields = ReadonlyMap<unknown, unknown>;

async function streamInfo(calls: RedisCalls, lane: Lane): Promise<Fields> {
  return fieldsOf(await info(calls, ['STREAM', lane.stream]));
}

async function groupInfo(calls: RedisCalls, lane: Lane): Promise<Fields> {
  const rows = (await info(calls, ['GROUPS', lane.stream])).map((row) => fieldsOf(row as unknown[]));
  return rows.find((fields) => fields.get('name') === lane.registration.group) ?? new Map();
}

/** A reply of XINFO; empty when the stream has gone. */
async function info(calls: RedisCalls, args: readonly string[]): Promise<readonly unknown[]> {
  const reply = await calls.call(['XINFO', ...args]).catch((error: unknown) => {
    if (isLinkLost(error)) throw error;
    return [];
  });
  return Array.isArray(reply) ? reply : [];
}

function fieldsOf(row: readonly unknown[]): Fields {
  const fields = new Map<unknown, unknown>();
  for (let i = 0; i + 1 < row.length; i += 2) fields.set(row[i], row[i + 1]);
  return fields;
}

function numberOr(value: unknown): number | null {
  return typeof value === 'number' ? value : null;
}
