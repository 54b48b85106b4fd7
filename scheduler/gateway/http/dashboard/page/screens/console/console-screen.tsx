import { type Signal, useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect, useMemo } from 'preact/hooks';
import type { Trial } from '../../api/platform-types.ts';
import { problemOf } from '../../api/problem.ts';
import type { Registration } from '../../api/types.ts';
import { ActionButton, Card, Empty, ProblemNote } from '../../parts/basics.tsx';
import { ChoiceField, TextField } from '../../parts/fields.tsx';
import { Screen } from '../../parts/screen.tsx';
import { useApp } from '../../state/app.ts';
import { placeHref } from '../../state/router.ts';
import { useList } from '../../state/use-list.ts';
import type { ScreenAddress } from '../current-screen.tsx';
import { SampleFields } from './sample-fields.tsx';
import { createTrialInput, suit, type TrialInput, trialBody } from './trial-input.ts';
import { TrialResult } from './trial-result.tsx';

/** Runs one sample event or command and shows all that it did. */
export function ConsoleScreen({ query }: ScreenAddress): JSX.Element {
  const { draft } = useApp();
  const input = useMemo(() => createTrialInput(query.registration ?? '', draft), []);
  const registrations = useList('registrations', '/v1/registrations').data;
  const trial = useSignal<Trial | null>(null);
  const failure = useSignal<unknown>(null);
  const chosen = registrations?.find(({ id }) => id === input.registrationId.value);
  useEffect(() => suit(input, chosen), [chosen?.id]);
  return (
    <Screen
      title="Console"
      lead="Sends one sample event or command through a function, and shows what it did. What it writes is real."
    >
      <div class="columns columns-console">
        <Card title="Sample">
          <TrialForm input={input} registrations={registrations ?? []} trial={trial} failure={failure} />
        </Card>
        <div>
          {failure.value === null ? null : <ProblemNote problem={problemOf(failure.value)} />}
          {trial.value === null ? null : <TrialResult trial={trial.value} />}
          {trial.value === null && failure.value === null ? (
            <Empty>Result, log lines and Redis commands of the run stand here.</Empty>
          ) : null}
        </div>
      </div>
    </Screen>
  );
}

interface TrialFormProps {
  readonly input: TrialInput;
  readonly registrations: readonly Registration[];
  readonly trial: Signal<Trial | null>;
  readonly failure: Signal<unknown>;
}

function TrialForm({ input, registrations, trial, failure }: TrialFormProps): JSX.Element {
  const { router } = useApp();
  const isRunning = useSignal(false);
  const run = useTrial({ input, trial, failure, isRunning });
  const { registrationId } = input;
  const names = registrations.map(({ id }) => [id, id] as const);
  const isMissing = registrationId.value !== '' && !names.some(([id]) => id === registrationId.value);
  return (
    <div class="form">
      <ChoiceField
        label="Registration"
        value={registrationId.value}
        choices={[
          ['', 'a source of its own'],
          ...(isMissing ? [[registrationId.value, registrationId.value] as const] : []),
          ...names,
        ]}
        onChoose={(id) => {
          registrationId.value = id;
          router.go(placeHref(['console'], { registration: id }));
        }}
      />
      {registrationId.value === '' ? (
        <TextField label="Source" rows={8} value={input.source} placeholder={SAMPLE} />
      ) : null}
      <SampleFields input={input} />
      <TextField label="Time-out, ms" value={input.timeoutMs} />
      <div class="tools">
        <ActionButton
          needs={registrationId.value === '' ? 'admin' : 'invoke'}
          tone="main"
          onClick={run}
          isOff={isRunning.value}
        >
          {isRunning.value ? 'Running …' : 'Run sample'}
        </ActionButton>
      </div>
    </div>
  );
}

const SAMPLE = "new GearsBuilder('CommandReader').map((args) => 'hello ' + args[1]).register({ trigger: 'greet' });";

interface TrialParts extends Pick<TrialFormProps, 'input' | 'trial' | 'failure'> {
  readonly isRunning: Signal<boolean>;
}

/** The function runs for real: that is asked first, as every action is. */
function useTrial({ input, trial, failure, isRunning }: TrialParts): () => void {
  const { api, dialogs } = useApp();
  const run = async (): Promise<string> => {
    isRunning.value = true;
    failure.value = null;
    try {
      const ran = await api.send<Trial>({ method: 'POST', path: '/v1/try', body: trialBody(input) });
      trial.value = ran;
      return `The sample has run: ${ran.outcome}.`;
    } catch (error) {
      trial.value = null;
      failure.value = error;
      throw error;
    } finally {
      isRunning.value = false;
    }
  };
  return () =>
    dialogs.ask({
      title: `Run a sample through ${input.registrationId.value === '' ? 'this source' : input.registrationId.value}?`,
      body: <p>What the function writes is written for real, outside of streams, retries and statistics.</p>,
      action: 'Run',
      run,
    });
}
