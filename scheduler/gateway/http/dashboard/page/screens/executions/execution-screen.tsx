import type { JSX } from 'preact';
import { url } from '../../api/client.ts';
import type { ExecutionDetail, List, LogLine } from '../../api/types.ts';
import { ActionButton, Age, Answer, Card, Empty, Facts, ProblemNote } from '../../parts/basics.tsx';
import { ErrorPlace } from '../../parts/error-place.tsx';
import { LogLines } from '../../parts/log-lines.tsx';
import { Screen } from '../../parts/screen.tsx';
import { useApp } from '../../state/app.ts';
import { useFetched } from '../../state/use-list.ts';
import { useTopicAge } from '../../state/use-topic-age.ts';
import { count, shortId, span, valueText } from '../../text/format.ts';
import type { ScreenAddress } from '../current-screen.tsx';
import { ExecutionState } from './execution-state.tsx';
import { ResultList } from './result-list.tsx';
import { ShardList } from './shard-list.tsx';

/** One batch run: plan, shards with the time of each step, errors, log lines, results. */
export function ExecutionScreen({ rest }: ScreenAddress): JSX.Element {
  const [id = ''] = rest;
  const age = useTopicAge('executions');
  const answer = useFetched<ExecutionDetail>(url`/v1/executions/${id}`, {}, age);
  return (
    <Screen
      title={`Execution ${shortId(id)}`}
      parent={{ href: '#/executions', name: 'Executions' }}
      tools={answer.data === null ? undefined : <ExecutionTools execution={answer.data} onDone={answer.reload} />}
    >
      <Answer to={answer}>{(known) => <ExecutionBody execution={known} age={age} />}</Answer>
    </Screen>
  );
}

function isOver({ status }: ExecutionDetail): boolean {
  return status === 'done' || status === 'aborted';
}

interface ToolsProps {
  readonly execution: ExecutionDetail;
  readonly onDone: () => void;
}

function ExecutionTools({ execution, onDone }: ToolsProps): JSX.Element {
  const { api, dialogs, router } = useApp();
  const { id, functionName } = execution;
  const abort = (): void =>
    dialogs.ask({
      title: `Abort execution ${shortId(id)}?`,
      body: <p>{functionName ?? 'The run'} stops on every shard. What it has written stays.</p>,
      action: 'Abort',
      isDangerous: true,
      run: async () => {
        await api.send({ method: 'POST', path: url`/v1/executions/${id}/abort` });
        onDone();
        return `Execution ${shortId(id)} is aborted.`;
      },
    });
  const drop = (): void =>
    dialogs.ask({
      title: `Drop execution ${shortId(id)}?`,
      body: <p>Its results and errors are deleted.</p>,
      action: 'Drop',
      isDangerous: true,
      run: async () => {
        await api.send({ method: 'DELETE', path: url`/v1/executions/${id}` });
        router.go('#/executions');
        return `Execution ${shortId(id)} is dropped.`;
      },
    });
  return isOver(execution) ? (
    <ActionButton needs="admin" tone="danger" onClick={drop}>
      Drop
    </ActionButton>
  ) : (
    <ActionButton needs="admin" tone="danger" onClick={abort}>
      Abort
    </ActionButton>
  );
}

interface BodyProps {
  readonly execution: ExecutionDetail;
  readonly age: number;
}

function ExecutionBody({ execution, age }: BodyProps): JSX.Element {
  const { plan, shards, errorTexts, functionName } = execution;
  return (
    <>
      <div class="columns">
        <Card title="Run">
          <RunFacts execution={execution} />
        </Card>
        <Card title="Plan">
          <Facts
            facts={[
              ['Reader', plan.reader],
              ['Mode', plan.mode],
              ['Stages', count(plan.stages)],
              ...Object.entries(plan.argument).map(([name, value]) => [name, valueText(value)] as const),
            ]}
          />
        </Card>
      </div>
      {errorTexts.length === 0 ? null : (
        <Card title={`Errors (${errorTexts.length})`}>
          {errorTexts.slice(0, 20).map((text) => (
            <ErrorPlace key={text} functionName={functionName ?? ''} version={null} stack={text} />
          ))}
        </Card>
      )}
      <ShardList shards={shards} steps={plan.steps} />
      {isOver(execution) ? <ResultList id={execution.id} /> : null}
      <ExecutionLogs id={execution.id} age={age} />
    </>
  );
}

function RunFacts({ execution }: { readonly execution: ExecutionDetail }): JSX.Element {
  return (
    <Facts
      facts={[
        ['Status', <ExecutionState key="status" status={execution.status} errors={execution.errors} />],
        ['Id', <code key="id">{execution.id}</code>],
        ['Function', execution.functionName],
        ['Started', <Age key="created" atMs={execution.createdAtMs} />],
        ['Took', span(execution.durationMs)],
        ['Records read', count(execution.recordsRead)],
        ['Results', count(execution.results)],
      ]}
    />
  );
}

function ExecutionLogs({ id, age }: { readonly id: string; readonly age: number }): JSX.Element {
  const { data, problem } = useFetched<List<LogLine>>(url`/v1/executions/${id}/logs`, {}, age);
  return (
    <Card title="Log lines">
      {problem === null ? null : <ProblemNote problem={problem} />}
      {data !== null && data.items.length === 0 ? (
        <Empty>It has written none.</Empty>
      ) : (
        <LogLines lines={data?.items ?? []} />
      )}
    </Card>
  );
}
