import { type ActiveRegistration, latin1FromUtf8 } from '#functions';
import type { Backlog, RetryCount } from '../../figures/figures.ts';
import type { OperationDependencies } from './dependencies.ts';
import { type GroupReport, reportStreams, type StreamReportDependencies } from './stream-reports.ts';

export type BacklogDependencies = StreamReportDependencies & {
  readonly figures: Pick<OperationDependencies['figures'], 'nodes'>;
};

/** Kinds whose events wait with their callers, not in a stream. */
const WITHOUT_BACKLOG: readonly string[] = ['command', 'hook'];

export function hasBacklog({ spec }: ActiveRegistration): boolean {
  return !WITHOUT_BACKLOG.includes(spec.trigger.kind);
}

/**
 * By registration id. What Redis knows is asked of Redis; which entries wait for a retry only their node knows, which has said so
 * within the last seconds: for so long an entry may count as in work that waits.
 * @param wanted whose backlogs.
 */
export async function reportBacklogs(
  dependencies: BacklogDependencies,
  wanted: (registration: ActiveRegistration) => boolean = () => true,
): Promise<readonly Backlog[]> {
  const registrations = [...dependencies.registry.snapshot().registrations.values()].filter(
    (one) => hasBacklog(one) && wanted(one),
  );
  const [streams, retries, inLists] = await Promise.all([
    reportStreams(dependencies, { wanted, consumers: false }),
    fleetRetries(dependencies),
    Promise.all(registrations.map((one) => itemsInLists(dependencies, one))),
  ]);
  const groups = Map.groupBy(
    streams.flatMap((stream) => stream.groups),
    ({ registrationId }) => registrationId,
  );
  return registrations
    .map((one, at) =>
      backlogOf(one, {
        groups: groups.get(one.spec.id) ?? [],
        retries: retries.get(one.spec.id) ?? [],
        inLists: inLists[at] ?? 0,
      }),
    )
    .sort((a, b) => (a.registrationId < b.registrationId ? -1 : 1));
}

async function fleetRetries({
  fleet,
  figures,
}: Pick<BacklogDependencies, 'fleet' | 'figures'>): Promise<ReadonlyMap<string, readonly RetryCount[]>> {
  const nodes = await fleet.nodes();
  const statuses = await figures.nodes(nodes.map(({ slot }) => slot));
  const all = [...statuses.values()].flatMap(({ retries }) => retries ?? []);
  return Map.groupBy(all, ({ registrationId }) => registrationId);
}

/** Items that are not in a stream of the platform yet. A key of another type holds none. */
async function itemsInLists({ access }: Pick<BacklogDependencies, 'access'>, one: ActiveRegistration): Promise<number> {
  const { trigger } = one.spec;
  if (trigger.kind !== 'list') return 0;
  const lengths = await Promise.all(
    trigger.lists.map((list) =>
      access.client.llen(Buffer.from(latin1FromUtf8(list), 'latin1')).catch((error: unknown) => {
        if (error instanceof Error && error.message.startsWith('WRONGTYPE')) return 0;
        throw error;
      }),
    ),
  );
  return sum(lengths);
}

interface Counted {
  readonly groups: readonly GroupReport[];
  readonly retries: readonly RetryCount[];
  readonly inLists: number;
}

function backlogOf({ spec, functionName, state }: ActiveRegistration, { groups, retries, inLists }: Counted): Backlog {
  const unread = sum(groups.map((group) => group.unread ?? 0)) + inLists;
  const readOnes = sum(groups.map((group) => group.pending));
  // Nodes have counted at other moments than Redis: nothing is below zero, and nothing counts twice.
  const dueRetries = Math.min(readOnes, sum(retries.map(({ due }) => due)));
  const resting = sum(retries.map(({ waiting, due }) => Math.max(0, waiting - due)));
  const waitingRetries = Math.min(readOnes - dueRetries, resting);
  const pending = readOnes - dueRetries - waitingRetries;
  const ages = groups.map(({ lagAgeMs }) => lagAgeMs).filter((age) => age !== null);
  return {
    registrationId: spec.id,
    functionName,
    state,
    unread,
    unreadIsExact: groups.every(({ unreadIsExact }) => unreadIsExact),
    pending,
    dueRetries,
    waitingRetries,
    backlog: state === 'running' ? unread + pending + dueRetries : 0,
    lagAgeMs: ages.length === 0 ? null : Math.max(...ages),
  };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, one) => total + one, 0);
}
