import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { url } from '../../api/client.ts';
import { problemOf } from '../../api/problem.ts';
import type { List, StreamEntry } from '../../api/types.ts';
import { Age, Card, Empty, Loading, ProblemNote } from '../../parts/basics.tsx';
import { FieldList } from '../../parts/field-list.tsx';
import { useApp } from '../../state/app.ts';
import { useFetched } from '../../state/use-list.ts';

export interface EntryListProps {
  readonly stream: string;
  /** Looked at again when it changes. */
  readonly version: number;
}

const PAGE = { limit: 20 };

/** The newest entries of a stream, older ones when asked for. */
export function EntryList({ stream, version }: EntryListProps): JSX.Element {
  const { api } = useApp();
  const path = url`/v1/streams/${stream}/entries`;
  const newest = useFetched<List<StreamEntry>>(path, PAGE, version);
  const older = useSignal<List<StreamEntry> | null>(null);
  const trouble = useSignal<unknown>(null);
  const cursor = older.value === null ? (newest.data?.nextCursor ?? null) : older.value.nextCursor;
  const more = async (): Promise<void> => {
    try {
      const page = await api.get<List<StreamEntry>>(path, { ...PAGE, cursor });
      older.value = { items: [...(older.value?.items ?? []), ...page.items], nextCursor: page.nextCursor };
      trouble.value = null;
    } catch (error) {
      trouble.value = error;
    }
  };
  const entries = merged(newest.data?.items ?? [], older.value?.items ?? []);
  return (
    <Card title="Newest entries">
      {newest.problem === null ? null : <ProblemNote problem={newest.problem} />}
      {newest.data === null && newest.problem === null ? <Loading /> : null}
      {newest.data !== null && entries.length === 0 ? <Empty>The stream is empty.</Empty> : null}
      <ul class="entries">
        {entries.map(({ id, atMs, fields }) => (
          <li key={id}>
            <code>{id}</code> <Age atMs={atMs} />
            <FieldList fields={fields} />
          </li>
        ))}
      </ul>
      {trouble.value === null ? null : <ProblemNote problem={problemOf(trouble.value)} />}
      {cursor === null ? null : (
        <button type="button" class="button" onClick={() => void more()}>
          Older entries
        </button>
      )}
    </Card>
  );
}

/** Newest first; an entry that both parts have stands once. */
function merged(newest: readonly StreamEntry[], older: readonly StreamEntry[]): readonly StreamEntry[] {
  const known = new Set(newest.map(({ id }) => id));
  return [...newest, ...older.filter(({ id }) => !known.has(id))];
}
