import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import type { Execution, List } from '../../api/types.ts';
import { Age, Answer } from '../../parts/basics.tsx';
import { ChoiceField } from '../../parts/fields.tsx';
import { FIRST_ROWS, MoreRows } from '../../parts/more-rows.tsx';
import { Screen } from '../../parts/screen.tsx';
import { type Column, Table } from '../../parts/table.tsx';
import { useApp } from '../../state/app.ts';
import { placeHref } from '../../state/router.ts';
import { useFetched } from '../../state/use-list.ts';
import { useTopicAge } from '../../state/use-topic-age.ts';
import { count, shortId, span } from '../../text/format.ts';
import type { ScreenAddress } from '../current-screen.tsx';
import { ExecutionState } from './execution-state.tsx';

/** Batch runs, newest first. */
export function ExecutionsScreen({ query }: ScreenAddress): JSX.Element {
  const { router } = useApp();
  const age = useTopicAge('executions');
  const limit = useSignal(FIRST_ROWS);
  const list = useFetched<List<Execution>>('/v1/executions', { status: query.status, limit: limit.value }, age);
  return (
    <Screen title="Executions" lead="Batch runs: over everything that is in Redis, once.">
      <Answer to={list}>
        {({ items, nextCursor }) => (
          <>
            <Table
              label="executions"
              rows={items}
              columns={COLUMNS}
              rowKey={({ id }) => id}
              search={({ id, functionName, reader }) => `${id} ${functionName ?? ''} ${reader}`}
              tone={({ errors }) => (errors > 0 ? 'bad' : undefined)}
              empty={NONE}
              tools={
                <ChoiceField
                  label="Status"
                  value={query.status ?? ''}
                  choices={STATUSES}
                  onChoose={(status) => router.go(placeHref(['executions'], { status }))}
                />
              }
            />
            <MoreRows limit={limit} nextCursor={nextCursor} />
          </>
        )}
      </Answer>
    </Screen>
  );
}

const NONE = (
  <>
    There is none. Start one with <code>regears run file.ts</code>.
  </>
);

const STATUSES = [
  ['', 'any'],
  ['created', 'created'],
  ['running', 'running'],
  ['done', 'done'],
  ['aborted', 'aborted'],
] as const;

const COLUMNS: readonly Column<Execution>[] = [
  {
    id: 'id',
    label: 'Execution',
    cell: ({ id, functionName, reader }) => (
      <>
        <a class="strong" title={id} href={placeHref(['executions', id])}>
          {shortId(id)}
        </a>
        <span class="below soft">{functionName === null ? reader : `${functionName}, ${reader}`}</span>
      </>
    ),
  },
  { id: 'status', label: 'Status', cell: ({ status, errors }) => <ExecutionState status={status} errors={errors} /> },
  {
    id: 'created',
    label: 'Started',
    sort: ({ createdAtMs }) => createdAtMs,
    cell: ({ createdAtMs }) => <Age atMs={createdAtMs} />,
  },
  {
    id: 'duration',
    label: 'Took',
    isNumber: true,
    sort: ({ durationMs }) => durationMs ?? 0,
    cell: ({ durationMs }) => span(durationMs),
  },
  {
    id: 'read',
    label: 'Records read',
    isNumber: true,
    sort: ({ recordsRead }) => recordsRead,
    cell: ({ recordsRead }) => count(recordsRead),
  },
  {
    id: 'results',
    label: 'Results',
    isNumber: true,
    sort: ({ results }) => results ?? 0,
    cell: ({ results }) => count(results),
  },
  { id: 'errors', label: 'Errors', isNumber: true, sort: ({ errors }) => errors, cell: ({ errors }) => count(errors) },
];
