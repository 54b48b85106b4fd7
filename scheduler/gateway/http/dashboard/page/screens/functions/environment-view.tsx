import type { JSX } from 'preact';
import { useRef } from 'preact/hooks';
import { url } from '../../api/client.ts';
import type { FunctionInfo } from '../../api/types.ts';
import type { Variable, Variables } from '../../api/variable-types.ts';
import { ActionButton, Age, Answer, Badge, Card } from '../../parts/basics.tsx';
import { type Column, Table } from '../../parts/table.tsx';
import { useFetched } from '../../state/use-list.ts';
import { type Kind, useVariableActions, type VariableActions } from './variable-actions.tsx';

/** What the function reads by name: values that may be seen, and secrets, of which there are only names. */
export function EnvironmentView({ info }: { readonly info: FunctionInfo }): JSX.Element {
  const env = useFetched<Variables>(url`/v1/functions/${info.name}/env`, {}, info.updatedAtMs);
  const secrets = useFetched<Variables>(url`/v1/functions/${info.name}/secrets`, {}, info.updatedAtMs);
  // They have one revision; the page knows its own changes before it has read the lists again.
  const ownRevision = useRef(0);
  const onDone = (): void => {
    env.reload();
    secrets.reload();
  };
  return (
    <>
      <Answer to={secrets}>
        {(list) => <VariableCard title="Secrets" kind="secrets" {...{ list, info, ownRevision, onDone }} />}
      </Answer>
      <Answer to={env}>
        {(list) => <VariableCard title="Variables" kind="env" {...{ list, info, ownRevision, onDone }} />}
      </Answer>
    </>
  );
}

interface CardProps {
  readonly title: string;
  readonly kind: Kind;
  readonly list: Variables;
  readonly info: FunctionInfo;
  readonly ownRevision: { current: number };
  readonly onDone: () => void;
}

/** A variable, or a name that is asked for. */
type Row = Variable | { readonly name: string; readonly missing: true };

const KINDS: Readonly<Record<Kind, { readonly noun: string; readonly empty: string }>> = {
  env: { noun: 'variable', empty: 'No variable is set. The function reads them with env(name).' },
  secrets: {
    noun: 'secret',
    empty: 'No secret is set. The function reads those with secret(name) that its configure({ secrets }) names.',
  },
};

function VariableCard({ title, kind, list, info, ownRevision, onDone }: CardProps): JSX.Element {
  const { revision, items, missing = [] } = list;
  const actions = useVariableActions({ functionName: info.name, kind, revision, ownRevision, onDone });
  const rows: readonly Row[] = [...missing.map((name) => ({ name, missing: true as const })), ...items];
  const { noun, empty } = KINDS[kind];
  return (
    <Card
      title={title}
      tools={
        <ActionButton needs="admin" label={`Set a ${noun}`} onClick={() => actions.set()}>
          Set a {noun}
        </ActionButton>
      }
    >
      <Table
        label={`${title.toLowerCase()} of ${info.name}`}
        rows={rows}
        columns={columnsFor(kind, actions)}
        rowKey={({ name }) => name}
        empty={empty}
      />
    </Card>
  );
}

function columnsFor(kind: Kind, actions: VariableActions): readonly Column<Row>[] {
  const value: Column<Row> =
    kind === 'env'
      ? { id: 'value', label: 'Value', cell: (row) => <Value row={row} /> }
      : { id: 'fingerprint', label: 'Fingerprint', cell: (row) => <Fingerprint row={row} /> };
  return [
    { id: 'name', label: 'Name', cell: ({ name }) => <code class="wrap">{name}</code> },
    value,
    { id: 'updated', label: 'Set', cell: (row) => ('missing' in row ? 'never' : <Age atMs={row.updatedAtMs} />) },
    { id: 'actions', label: 'Actions', cell: (row) => <RowTools row={row} actions={actions} /> },
  ];
}

function Value({ row }: { readonly row: Row }): JSX.Element {
  if ('missing' in row || !row.readable) return <Badge tone="bad">cannot be read: another key has sealed it</Badge>;
  return <span class="wrap">{row.value}</span>;
}

/** It changes with the value, which is not to be seen. */
function Fingerprint({ row }: { readonly row: Row }): JSX.Element {
  if ('missing' in row) return <Badge tone="bad">missing: the function waits for it</Badge>;
  if (!row.readable) return <Badge tone="bad">cannot be read: another key has sealed it</Badge>;
  return (
    <>
      <span class="soft">••••••••</span> <code>{row.fingerprint}</code>
    </>
  );
}

function RowTools({ row, actions }: { readonly row: Row; readonly actions: VariableActions }): JSX.Element {
  const { name } = row;
  const isMissing = 'missing' in row;
  const before = isMissing ? '' : (row.value ?? '');
  return (
    <div class="tools">
      <ActionButton
        needs="admin"
        label={`${isMissing ? 'Set' : 'Change'} ${name}`}
        onClick={() => actions.set(name, before)}
      >
        {isMissing ? 'Set' : 'Change'}
      </ActionButton>
      {isMissing ? null : (
        <ActionButton needs="admin" tone="danger" label={`Unset ${name}`} onClick={() => actions.unset(name)}>
          Unset
        </ActionButton>
      )}
    </div>
  );
}
