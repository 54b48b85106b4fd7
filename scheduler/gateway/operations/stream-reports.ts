import { type ActiveRegistration, PlatformError, timeOfId, utf8FromLatin1 } from '#functions';
import type { SchedulerErrorCode } from '../../errors.ts';
import type { OperationDependencies } from './dependencies.ts';
import { createStreamGroups, type StreamGroup, type StreamQuestion } from './stream-groups.ts';

/** A stream that registrations in force read. */
export interface StreamReport {
  /** Key, Unicode. */
  readonly stream: string;
  /** True for streams that the platform keeps for ticks, items, messages and keys. */
  readonly internal: boolean;
  readonly length: number;
  readonly firstEntryAtMs: number | null;
  readonly lastEntryAtMs: number | null;
  readonly groups: readonly GroupReport[];
}

export interface GroupReport {
  readonly registrationId: string;
  readonly functionName: string;
  readonly mode: string;
  /** State on the node that is asked; null = not read here. */
  readonly state: string | null;
  readonly unread: number | null;
  readonly unreadIsExact: boolean;
  readonly pending: number;
  /** Pending ones that wait on the asked node for a retry. */
  readonly waiting: number;
  /** Age of the oldest entry without an end, ms; null = there is none. */
  readonly lagAgeMs: number | null;
  readonly oldestUnreadAtMs: number | null;
  readonly oldestPendingAtMs: number | null;
  readonly lastDeliveredId: string;
  readonly consumers: readonly {
    readonly name: string;
    readonly pending: number;
    readonly idleMs: number;
    readonly alive: boolean;
    readonly nodeId: string | null;
  }[];
}

export type StreamReportDependencies = Pick<
  OperationDependencies,
  'registry' | 'access' | 'keys' | 'streams' | 'fleet' | 'settings'
>;

/** By stream. */
export async function reportStreams(
  dependencies: StreamReportDependencies,
  question: StreamQuestion = {},
): Promise<readonly StreamReport[]> {
  const [groups, nodes, [seconds]] = await Promise.all([
    createStreamGroups(dependencies).inspect(question),
    dependencies.fleet.nodes(),
    dependencies.access.client.time(),
  ]);
  const nodeIds = new Map(nodes.map(({ consumer, nodeId }) => [consumer, nodeId]));
  const here = new Map(dependencies.streams.facts().map((lane) => [`${lane.registrationId} ${lane.stream}`, lane]));
  const { registrations } = dependencies.registry.snapshot();
  const facts: Facts = { nowMs: Number(seconds) * 1_000, nodeIds, here, registrations };
  const byStream = Map.groupBy(groups, ({ stream }) => stream);
  const internal = dependencies.settings.prefix;
  return [...byStream].map(([stream, own]) => streamReport(stream, own, { ...facts, prefix: internal })).sort(byName);
}

/** STREAM_NOT_FOUND. */
export async function reportStream(dependencies: StreamReportDependencies, stream: string): Promise<StreamReport> {
  const found = (await reportStreams(dependencies)).find((report) => report.stream === stream);
  if (found !== undefined) return found;
  throw new PlatformError<SchedulerErrorCode>(
    'STREAM_NOT_FOUND',
    `no registration in force reads a stream "${stream.slice(0, 200)}"`,
  );
}

interface Facts {
  readonly nowMs: number;
  readonly nodeIds: ReadonlyMap<string, string>;
  readonly here: ReadonlyMap<string, ReturnType<OperationDependencies['streams']['facts']>[number]>;
  readonly registrations: ReadonlyMap<string, ActiveRegistration>;
}

function streamReport(
  key: string,
  groups: readonly StreamGroup[],
  facts: Facts & { readonly prefix: string },
): StreamReport {
  const [first] = groups;
  const stream = utf8FromLatin1(key);
  return {
    stream,
    internal: stream.startsWith(facts.prefix),
    length: first?.length ?? 0,
    firstEntryAtMs: timeOf(first?.firstId),
    lastEntryAtMs: timeOf(first?.lastId),
    groups: groups.map((group) => groupReport(group, stream, facts)),
  };
}

function groupReport(group: StreamGroup, stream: string, facts: Facts): GroupReport {
  const { registrationId, unread, pending, lastDeliveredId, consumers } = group;
  const registration = facts.registrations.get(registrationId);
  const lane = facts.here.get(`${registrationId} ${stream}`);
  const oldestUnreadAtMs = timeOf(group.oldestUnreadId);
  const oldestPendingAtMs = timeOf(group.oldestPendingId);
  const oldest = [oldestUnreadAtMs, oldestPendingAtMs].filter((atMs) => atMs !== null);
  return {
    registrationId,
    functionName: registration?.functionName ?? '',
    mode: registration?.spec.mode ?? '',
    state: lane?.state ?? null,
    unread: unread?.atMost ?? null,
    unreadIsExact: unread?.exact ?? false,
    pending,
    waiting: lane?.waiting ?? 0,
    lagAgeMs: oldest.length === 0 ? null : Math.max(0, facts.nowMs - Math.min(...oldest)),
    oldestUnreadAtMs,
    oldestPendingAtMs,
    lastDeliveredId,
    consumers: consumers.map(({ name, ...numbers }) => {
      const nodeId = facts.nodeIds.get(nodeNameOf(name)) ?? null;
      return { name, ...numbers, alive: nodeId !== null, nodeId };
    }),
  };
}

/** Entries of mode `async` are pending under a name of their own beside the node's. */
function nodeNameOf(consumer: string): string {
  return consumer.replace(/~work$/, '');
}

/** Ids made by hand may lie far from any time. */
function timeOf(id: string | null | undefined): number | null {
  if (id == null) return null;
  const atMs = timeOfId(id);
  return Number.isSafeInteger(atMs) ? atMs : null;
}

function byName(a: StreamReport, b: StreamReport): number {
  return Number(a.internal) - Number(b.internal) || (a.stream < b.stream ? -1 : 1);
}
