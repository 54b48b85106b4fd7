import type { JSX } from 'preact';
import type { Cluster, ShardInfo } from '../../api/platform-types.ts';
import { ActionButton, Badge, Card, Facts, Loading, ProblemNote } from '../../parts/basics.tsx';
import { type Column, Table } from '../../parts/table.tsx';
import { useApp } from '../../state/app.ts';
import { useFetched } from '../../state/use-list.ts';
import { useTicks } from '../../state/use-ticks.ts';
import { count, memory, span } from '../../text/format.ts';

const EVERY_MS = 5_000;

/** The Redis behind the nodes. */
export function ShardView(): JSX.Element {
  const { data, problem, reload } = useFetched<Cluster>('/v1/cluster', {}, useTicks(EVERY_MS));
  if (data === null) return problem === null ? <Loading /> : <ProblemNote problem={problem} />;
  return (
    <>
      {problem === null ? null : <ProblemNote problem={problem} />}
      <Card title={`${data.product} ${data.version}`} tools={<RefreshButton onDone={reload} />}>
        <Facts
          facts={[
            ['Topology', data.topology],
            ['Persistence', data.persistence],
            ['Eviction', data.evictionPolicy],
            ['Notifications', data.notifications === '' ? 'off' : data.notifications],
          ]}
        />
      </Card>
      <Table
        label="shards"
        rows={data.shards}
        columns={COLUMNS}
        rowKey={({ id }) => id}
        tone={({ reachable }) => (reachable ? undefined : 'bad')}
        empty="No shard is known."
      />
    </>
  );
}

function RefreshButton({ onDone }: { readonly onDone: () => void }): JSX.Element {
  const { api, dialogs } = useApp();
  return (
    <ActionButton
      needs="admin"
      onClick={() =>
        dialogs.ask({
          title: 'Read the slot map of the cluster now?',
          action: 'Read',
          run: async () => {
            await api.send({ method: 'POST', path: '/v1/cluster/refresh' });
            onDone();
            return 'The slot map has been read.';
          },
        })
      }
    >
      Read slot map
    </ActionButton>
  );
}

const COLUMNS: readonly Column<ShardInfo>[] = [
  {
    id: 'address',
    label: 'Shard',
    cell: ({ id, host, port }) => (
      <>
        <strong>
          {host}:{port}
        </strong>
        <span class="below soft wrap">{id}</span>
      </>
    ),
  },
  {
    id: 'state',
    label: 'State',
    cell: ({ reachable }) => <Badge tone={reachable ? 'ok' : 'bad'}>{reachable ? 'reachable' : 'not reachable'}</Badge>,
  },
  { id: 'slots', label: 'Slots', cell: ({ slots }) => slots.map(([first, last]) => `${first}–${last}`).join(', ') },
  {
    id: 'memory',
    label: 'Memory',
    isNumber: true,
    cell: ({ usedMemoryBytes, maxMemoryBytes }) =>
      `${memory(usedMemoryBytes)}${maxMemoryBytes ? ` of ${memory(maxMemoryBytes)}` : ''}`,
  },
  { id: 'clients', label: 'Clients', isNumber: true, cell: ({ connectedClients }) => count(connectedClients) },
  { id: 'commands', label: 'Commands/s', isNumber: true, cell: ({ commandsPerSecond }) => count(commandsPerSecond) },
  { id: 'uptime', label: 'Up for', isNumber: true, cell: ({ uptimeMs }) => span(uptimeMs) },
];
