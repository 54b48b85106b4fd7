import type { JSX } from 'preact';
import { url } from '../../api/client.ts';
import type { Registration, Statistics } from '../../api/types.ts';
import { ActionButton, Answer, Card, Facts } from '../../parts/basics.tsx';
import { ErrorPlace } from '../../parts/error-place.tsx';
import { Screen } from '../../parts/screen.tsx';
import { placeHref } from '../../state/router.ts';
import { useFetched } from '../../state/use-list.ts';
import { useTopicAge } from '../../state/use-topic-age.ts';
import { count, span, valueText } from '../../text/format.ts';
import type { ScreenAddress } from '../current-screen.tsx';
import { HealthBadge } from './health.tsx';
import { useRegistrationActions } from './registration-actions.tsx';
import { PauseButton } from './registrations-screen.tsx';

/** One registration: what it waits for, what it does, how it fares. */
export function RegistrationScreen({ rest }: ScreenAddress): JSX.Element {
  const [id = ''] = rest;
  const age = useTopicAge('registrations');
  const answer = useFetched<Registration>(url`/v1/registrations/${id}`, {}, age);
  return (
    <Screen
      title={id}
      parent={{ href: '#/registrations', name: 'Registrations' }}
      lead={answer.data?.description ?? undefined}
      tools={answer.data === null ? undefined : <RegistrationTools registration={answer.data} />}
    >
      <Answer to={answer}>{(known) => <RegistrationBody registration={known} />}</Answer>
    </Screen>
  );
}

function RegistrationTools({ registration }: { readonly registration: Registration }): JSX.Element {
  const actions = useRegistrationActions();
  return (
    <>
      <a class="button" href={placeHref(['console'], { registration: registration.id })}>
        Try in console
      </a>
      <PauseButton registration={registration} actions={actions} />
      <ActionButton needs="admin" onClick={() => actions.clear(registration)}>
        Clear statistics
      </ActionButton>
      <ActionButton needs="admin" tone="danger" onClick={() => actions.unregister(registration)}>
        Unregister
      </ActionButton>
    </>
  );
}

function RegistrationBody({ registration }: { readonly registration: Registration }): JSX.Element {
  const { functionName, version, trigger, flow, statistics } = registration;
  return (
    <>
      <div class="columns">
        <Card title="State">
          <StateFacts registration={registration} />
        </Card>
        <Card title="Starts on">
          <Facts facts={factsOf({ ...trigger, ...flow })} />
        </Card>
      </div>
      {statistics.lastError === null ? null : (
        <Card title={registration.health === 'failing' ? 'Why it fails' : 'Last error'}>
          <ErrorPlace functionName={functionName} version={version} stack={statistics.lastError} />
          {statistics.dead === 0 ? null : (
            <p>
              <a href={placeHref(['dead-letters'], { registration: registration.id })}>Its dead letters</a>{' '}
              <span class="soft">have payload, stack and line of the source.</span>
            </p>
          )}
        </Card>
      )}
      <Card title="Runs and entries">
        <StatisticList statistics={statistics} />
      </Card>
      <Card title="Steps">
        <ol class="steps">
          {registration.steps.map(({ type, arg }, at) => (
            <li key={at}>
              <strong>{type}</strong> {arg === null ? null : <code class="wrap">{arg}</code>}
            </li>
          ))}
        </ol>
      </Card>
    </>
  );
}

function StateFacts({ registration }: { readonly registration: Registration }): JSX.Element {
  const { functionName, version, reader, mode, state, stateReason, waiting } = registration;
  return (
    <Facts
      facts={[
        ['Health', <HealthBadge key="health" registration={registration} />],
        ['State', stateReason === null ? state : `${state}: ${stateReason}`],
        [
          'Function',
          <a key="function" href={placeHref(['functions', functionName, 'source'], { version })}>
            {functionName}, version {version}
          </a>,
        ],
        ['Reader', reader],
        ['Mode', mode],
        ['Waiting for a retry', count(waiting)],
      ]}
    />
  );
}

function factsOf(fields: Readonly<Record<string, unknown>>): readonly (readonly [string, string])[] {
  return Object.entries(fields)
    .filter(([, value]) => value !== null && value !== undefined)
    .map(([name, value]) => [name, valueText(value)]);
}

/** Sentences of a statistic and how each is written. */
const STATISTICS: readonly (readonly [string, (statistics: Statistics) => string])[] = [
  ['Runs', (all) => count(all.triggered)],
  ['Succeeded', (all) => count(all.succeeded)],
  ['Failed', (all) => count(all.failed)],
  ['Aborted', (all) => count(all.aborted)],
  ['Last run', (all) => span(all.lastRunMs)],
  ['Average run', (all) => span(all.averageRunMs)],
  ['Last lag', (all) => span(all.lastLagMs)],
  ['Average lag', (all) => span(all.averageLagMs)],
  ['Entries done', (all) => count(all.done)],
  ['Filtered out', (all) => count(all.filtered)],
  ['Dead-lettered', (all) => count(all.dead)],
  ['Expired', (all) => count(all.expired)],
  ['Lost to trimming', (all) => count(all.lostToTrim)],
  ['Retries', (all) => count(all.retries)],
];

function StatisticList({ statistics }: { readonly statistics: Statistics }): JSX.Element {
  return (
    <dl class="numbers">
      {STATISTICS.map(([name, of]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{of(statistics)}</dd>
        </div>
      ))}
    </dl>
  );
}
