import type { Signal } from '@preact/signals';
import type { JSX } from 'preact';
import type { DeadLetter } from '../../api/types.ts';
import { Age } from '../../parts/basics.tsx';
import { type Column, Table } from '../../parts/table.tsx';
import { placeHref } from '../../state/router.ts';

export interface LetterTableProps {
  readonly letters: readonly DeadLetter[];
  readonly total: number;
  readonly chosen: Signal<ReadonlySet<string>>;
  readonly isSearch: boolean;
}

/** Dead letters, newest first; a mark chooses those to act on. */
export function LetterTable({ letters, total, chosen, isSearch }: LetterTableProps): JSX.Element {
  return (
    <Table
      label="dead letters"
      rows={letters}
      columns={columnsFor(chosen)}
      rowKey={({ id }) => id}
      empty={isSearch ? 'The search finds none.' : 'Nothing has been given up on.'}
      total={total}
    />
  );
}

function columnsFor(chosen: Signal<ReadonlySet<string>>): readonly Column<DeadLetter>[] {
  return [
    {
      id: 'letter',
      label: 'Dead letter',
      cell: ({ id, stream, entryId }) => (
        <>
          <ChooseBox id={id} chosen={chosen} />
          <a class="strong whole" href={placeHref(['dead-letters', id])}>
            {entryId}
          </a>
          <span class="below soft wrap">{stream}</span>
        </>
      ),
    },
    {
      id: 'registration',
      label: 'Registration',
      sort: ({ registrationId }) => registrationId,
      cell: ({ registrationId, version }) => (
        <>
          <a class="wrap" href={placeHref(['registrations', registrationId])}>
            {registrationId}
          </a>
          {version === null ? null : <span class="soft"> version {version}</span>}
        </>
      ),
    },
    {
      id: 'error',
      label: 'Error',
      sort: ({ errorCode, errorMessage }) => `${errorCode} ${errorMessage}`,
      cell: ({ errorCode, errorMessage, reason }) => (
        <>
          {errorCode === null ? null : <code>{errorCode}</code>}
          <span class="below wrap clip">{errorMessage ?? reason}</span>
        </>
      ),
    },
    {
      id: 'attempts',
      label: 'Attempts',
      isNumber: true,
      sort: ({ attempts }) => attempts,
      cell: ({ attempts }) => attempts,
    },
    {
      id: 'died',
      label: 'Given up',
      sort: ({ diedAtMs }) => diedAtMs,
      cell: ({ diedAtMs }) => <Age atMs={diedAtMs} />,
    },
  ];
}

function ChooseBox({ id, chosen }: { readonly id: string; readonly chosen: Signal<ReadonlySet<string>> }): JSX.Element {
  return (
    <input
      type="checkbox"
      class="choose"
      aria-label={`Choose dead letter ${id}`}
      checked={chosen.value.has(id)}
      onChange={(event) => {
        const next = new Set(chosen.value);
        if (event.currentTarget.checked) next.add(id);
        else next.delete(id);
        chosen.value = next;
      }}
    />
  );
}
