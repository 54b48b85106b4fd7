import type { JSX } from 'preact';
import type { Registration } from '../../api/types.ts';
import { ActionButton, Answer } from '../../parts/basics.tsx';
import { ChoiceField } from '../../parts/fields.tsx';
import { Screen } from '../../parts/screen.tsx';
import { type Column, Table } from '../../parts/table.tsx';
import { useApp } from '../../state/app.ts';
import { placeHref } from '../../state/router.ts';
import { useList } from '../../state/use-list.ts';
import { count, span } from '../../text/format.ts';
import type { ScreenAddress } from '../current-screen.tsx';
import { HEALTHS, HealthBadge, triggerWords } from './health.tsx';
import { type RegistrationActions, useRegistrationActions } from './registration-actions.tsx';

/** All registrations in force, with how they fare. */
export function RegistrationsScreen({ query }: ScreenAddress): JSX.Element {
  const list = useList('registrations', '/v1/registrations');
  const { clearAll } = useRegistrationActions();
  return (
    <Screen
      title="Registrations"
      lead="What runs when: a function version bound to what starts it."
      tools={
        <ActionButton needs="admin" onClick={clearAll}>
          Clear all statistics
        </ActionButton>
      }
    >
      <Answer to={list}>{(all) => <RegistrationTable registrations={all} query={query} />}</Answer>
    </Screen>
  );
}

/** What fails stands first, however many there are. */
const RANK = { failing: 0, stopped: 1, failed: 2, ok: 2 } as const;

interface TableProps {
  readonly registrations: readonly Registration[];
  readonly query: ScreenAddress['query'];
}

function RegistrationTable({ registrations, query }: TableProps): JSX.Element {
  const { router } = useApp();
  const actions = useRegistrationActions();
  const rows = registrations.filter(
    ({ health, functionName }) =>
      (query.health === undefined || query.health === health) &&
      (query.function === undefined || query.function === functionName),
  );
  const sorted = rows.toSorted((a, b) => RANK[a.health] - RANK[b.health]);
  const functions = [...new Set(registrations.map(({ functionName }) => functionName))].toSorted();
  const go = (next: Readonly<Record<string, string>>): void =>
    router.go(placeHref(['registrations'], { ...query, ...next }));
  return (
    <Table
      label="registrations"
      rows={sorted}
      columns={columnsFor(actions)}
      rowKey={({ id }) => id}
      search={(registration) =>
        `${registration.id} ${registration.description ?? ''} ${registration.mode} ${triggerWords(registration)}`
      }
      tone={({ health }) => (health === 'failing' ? 'bad' : undefined)}
      empty={registrations.length === 0 ? 'No function has registered anything.' : 'None is like this.'}
      tools={
        <>
          <ChoiceField
            label="Health"
            value={query.health ?? ''}
            choices={[['', 'any'], ...Object.entries(HEALTHS).map(([name, { words }]) => [name, words] as const)]}
            onChoose={(health) => go({ health })}
          />
          <ChoiceField
            label="Function"
            value={query.function ?? ''}
            choices={[['', 'any'], ...functions.map((name) => [name, name] as const)]}
            onChoose={(name) => go({ function: name })}
          />
        </>
      }
    />
  );
}

function columnsFor(actions: RegistrationActions): readonly Column<Registration>[] {
  return [
    {
      id: 'id',
      label: 'Registration',
      sort: ({ id }) => id,
      cell: (registration) => (
        <>
          <a class="strong wrap" href={placeHref(['registrations', registration.id])}>
            {registration.id}
          </a>
          <span class="below soft">
            {triggerWords(registration)} · {registration.mode} · version {registration.version}
          </span>
        </>
      ),
    },
    {
      id: 'health',
      label: 'Health',
      sort: ({ health }) => Object.keys(HEALTHS).indexOf(health),
      cell: (registration) => <HealthBadge registration={registration} />,
    },
    ...NUMBERS,
    {
      id: 'actions',
      label: 'Actions',
      cell: (registration) => <PauseButton registration={registration} actions={actions} />,
    },
  ];
}

const NUMBERS: readonly Column<Registration>[] = [
  {
    id: 'triggered',
    label: 'Runs',
    isNumber: true,
    sort: ({ statistics }) => statistics.triggered,
    cell: ({ statistics }) => count(statistics.triggered),
  },
  {
    id: 'failed',
    label: 'Failed',
    isNumber: true,
    sort: ({ statistics }) => statistics.failed,
    cell: ({ statistics }) => count(statistics.failed),
  },
  {
    id: 'dead',
    label: 'Dead',
    isNumber: true,
    sort: ({ statistics }) => statistics.dead,
    cell: ({ statistics }) => count(statistics.dead),
  },
  {
    id: 'waiting',
    label: 'Waiting',
    isNumber: true,
    sort: ({ waiting }) => waiting,
    cell: ({ waiting }) => count(waiting),
  },
  {
    id: 'average',
    label: 'Average run',
    isNumber: true,
    sort: ({ statistics }) => statistics.averageRunMs,
    cell: ({ statistics }) => span(statistics.averageRunMs),
  },
  {
    id: 'lag',
    label: 'Last lag',
    isNumber: true,
    sort: ({ statistics }) => statistics.lastLagMs,
    cell: ({ statistics }) => span(statistics.lastLagMs),
  },
];

export interface PauseButtonProps {
  readonly registration: Registration;
  readonly actions: RegistrationActions;
}

/** Pauses what runs, resumes what does not. */
export function PauseButton({ registration, actions }: PauseButtonProps): JSX.Element {
  const isRunning = registration.state === 'running';
  return (
    <ActionButton
      needs="admin"
      label={`${isRunning ? 'Pause' : 'Resume'} ${registration.id}`}
      onClick={() => (isRunning ? actions.pause : actions.resume)(registration)}
    >
      {isRunning ? 'Pause' : 'Resume'}
    </ActionButton>
  );
}
