import type { JSX } from 'preact';
import type { FunctionInfo } from '../../api/types.ts';
import { Age, Answer, Badge } from '../../parts/basics.tsx';
import { Screen } from '../../parts/screen.tsx';
import { type Column, Table } from '../../parts/table.tsx';
import { useApp } from '../../state/app.ts';
import { placeHref } from '../../state/router.ts';
import { useList } from '../../state/use-list.ts';

/** All functions. */
export function FunctionsScreen(): JSX.Element {
  const { session } = useApp();
  const list = useList('functions', '/v1/functions');
  const upload = session.can('admin') ? (
    <a class="button button-main" href="#/upload">
      Upload
    </a>
  ) : null;
  return (
    <Screen title="Functions" lead="What can run, in numbered versions." tools={upload}>
      <Answer to={list}>{(functions) => <FunctionTable functions={functions} />}</Answer>
    </Screen>
  );
}

const COLUMNS: readonly Column<FunctionInfo>[] = [
  {
    id: 'name',
    label: 'Function',
    sort: ({ name }) => name,
    cell: ({ name, description }) => (
      <>
        <a class="strong wrap" href={placeHref(['functions', name])}>
          {name}
        </a>
        {description === null || description === '' ? null : <span class="below soft">{description}</span>}
      </>
    ),
  },
  {
    id: 'version',
    label: 'Active version',
    isNumber: true,
    sort: ({ activeVersion }) => activeVersion ?? 0,
    cell: ({ activeVersion, latestVersion }) => (
      <>
        {activeVersion === null ? <Badge tone="calm">none</Badge> : activeVersion}
        {activeVersion === latestVersion ? null : <span class="soft"> of {latestVersion}</span>}
      </>
    ),
  },
  {
    id: 'registrations',
    label: 'Registrations',
    isNumber: true,
    sort: ({ registrations }) => registrations.length,
    cell: ({ name, registrations }) => (
      <a href={placeHref(['registrations'], { function: name })}>{registrations.length}</a>
    ),
  },
  {
    id: 'updated',
    label: 'Changed',
    sort: ({ updatedAtMs }) => updatedAtMs,
    cell: ({ updatedAtMs }) => <Age atMs={updatedAtMs} />,
  },
];

function FunctionTable({ functions }: { readonly functions: readonly FunctionInfo[] }): JSX.Element {
  return (
    <Table
      label="functions"
      rows={functions}
      columns={COLUMNS}
      rowKey={({ name }) => name}
      search={({ name, description }) => `${name} ${description ?? ''}`}
      empty={
        <>
          No function is loaded. <a href="#/upload">Upload the first one</a>.
        </>
      }
    />
  );
}
