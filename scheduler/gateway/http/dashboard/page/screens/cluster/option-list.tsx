import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { url } from '../../api/client.ts';
import type { Config, Option } from '../../api/platform-types.ts';
import { ActionButton, Loading, ProblemNote } from '../../parts/basics.tsx';
import { TextField } from '../../parts/fields.tsx';
import { type Column, Table } from '../../parts/table.tsx';
import { useApp } from '../../state/app.ts';
import { useFetched } from '../../state/use-list.ts';

/** What can be changed while everything runs, for the whole fleet. */
export function OptionList(): JSX.Element {
  const { data, problem, reload } = useFetched<Config>('/v1/config');
  const change = useChange(reload);
  if (data === null) return problem === null ? <Loading /> : <ProblemNote problem={problem} />;
  return (
    <Table
      label="options"
      rows={data.options}
      columns={columnsFor(change)}
      rowKey={({ name }) => name}
      search={({ name, note }) => `${name} ${note ?? ''}`}
      empty="There is none."
    />
  );
}

function useChange(onDone: () => void): (option: Option) => void {
  const { api, dialogs } = useApp();
  const value = useSignal('');
  return (option) => {
    value.value = option.value;
    dialogs.ask({
      title: `Change ${option.name}?`,
      body: <TextField label="Value, for every node" value={value} />,
      action: 'Change',
      run: async () => {
        const changed = await api.send<Option>({
          method: 'PUT',
          path: url`/v1/config/options/${option.name}`,
          body: { value: value.value },
        });
        onDone();
        return `${changed.name} is ${changed.value}.`;
      },
    });
  };
}

function columnsFor(change: (option: Option) => void): readonly Column<Option>[] {
  return [
    { id: 'name', label: 'Option', sort: ({ name }) => name, cell: ({ name }) => <strong>{name}</strong> },
    { id: 'value', label: 'Value', cell: ({ value }) => <code>{value}</code> },
    { id: 'note', label: 'Note', cell: ({ note }) => <span class="soft">{note ?? ''}</span> },
    {
      id: 'actions',
      label: 'Actions',
      cell: (option) =>
        option.changeable ? (
          <ActionButton needs="admin" label={`Change ${option.name}`} onClick={() => change(option)}>
            Change
          </ActionButton>
        ) : (
          <span class="soft">fixed</span>
        ),
    },
  ];
}
