import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { url } from '../../api/client.ts';
import { problemOf } from '../../api/problem.ts';
import type { ExecutionResults, Value } from '../../api/types.ts';
import { Card, Empty, ProblemNote } from '../../parts/basics.tsx';
import { useApp } from '../../state/app.ts';
import { plural, prettyText, valueText } from '../../text/format.ts';

/** The results of a run that is over, page by page, once they are asked for. */
export function ResultList({ id }: { readonly id: string }): JSX.Element {
  const { api, session } = useApp();
  const results = useSignal<readonly Value[] | null>(null);
  const cursor = useSignal<string | null>(null);
  const trouble = useSignal<unknown>(null);
  const load = async (): Promise<void> => {
    try {
      const page = await api.get<ExecutionResults>(url`/v1/executions/${id}/results`, { cursor: cursor.value });
      results.value = [...(results.value ?? []), ...page.results];
      cursor.value = page.nextCursor;
      trouble.value = null;
    } catch (error) {
      trouble.value = error;
    }
  };
  const isThereMore = results.value === null || cursor.value !== null;
  return (
    <Card title="Results">
      {results.value?.length === 0 ? <Empty>It has no results.</Empty> : null}
      {results.value === null || results.value.length === 0 ? null : (
        <>
          <p class="soft">{plural(results.value.length, 'result')}</p>
          <pre class="block">{results.value.map((each) => prettyText(valueText(each))).join('\n')}</pre>
        </>
      )}
      {trouble.value === null ? null : <ProblemNote problem={problemOf(trouble.value)} />}
      {isThereMore ? (
        <button type="button" class="button" disabled={!session.can('invoke')} onClick={() => void load()}>
          {results.value === null ? 'Show results' : 'More results'}
        </button>
      ) : null}
    </Card>
  );
}
