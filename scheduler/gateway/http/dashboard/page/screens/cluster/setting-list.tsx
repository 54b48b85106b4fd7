import type { JSX } from 'preact';
import type { Config, Setting } from '../../api/platform-types.ts';
import { Badge, Loading, ProblemNote } from '../../parts/basics.tsx';
import { type Column, Table } from '../../parts/table.tsx';
import { useFetched } from '../../state/use-list.ts';

/** What this node was started with, and where each value comes from. */
export function SettingList(): JSX.Element {
  const { data, problem } = useFetched<Config>('/v1/config');
  if (data === null) return problem === null ? <Loading /> : <ProblemNote problem={problem} />;
  return (
    <Table
      label="settings"
      rows={data.settings}
      columns={COLUMNS}
      rowKey={({ name }) => name}
      search={({ name, description }) => `${name} ${description}`}
      empty="There is none."
    />
  );
}

const COLUMNS: readonly Column<Setting>[] = [
  {
    id: 'name',
    label: 'Setting',
    sort: ({ name }) => name,
    cell: ({ name, description }) => (
      <>
        <strong>{name}</strong>
        <span class="below soft">{description}</span>
      </>
    ),
  },
  { id: 'value', label: 'Value', cell: ({ shown }) => <code class="wrap">{shown}</code> },
  {
    id: 'origin',
    label: 'From',
    sort: ({ origin }) => origin,
    cell: ({ origin }) => <Badge tone={origin === 'default' ? 'calm' : 'accent'}>{origin}</Badge>,
  },
];
