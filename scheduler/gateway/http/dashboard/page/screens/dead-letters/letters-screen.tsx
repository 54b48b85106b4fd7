import { type Signal, useSignal } from '@preact/signals';
import type { JSX, TargetedEvent } from 'preact';
import type { DeadLetter, DeadLetterFilter, List } from '../../api/types.ts';
import { ActionButton, Answer } from '../../parts/basics.tsx';
import { FIRST_ROWS, MoreRows } from '../../parts/more-rows.tsx';
import { Screen } from '../../parts/screen.tsx';
import { useApp } from '../../state/app.ts';
import { placeHref } from '../../state/router.ts';
import { useFetched } from '../../state/use-list.ts';
import { useTopicAge } from '../../state/use-topic-age.ts';
import { plural } from '../../text/format.ts';
import type { ScreenAddress } from '../current-screen.tsx';
import { type Selection, useLetterActions } from './letter-actions.tsx';
import { LetterTable } from './letter-table.tsx';

const NAMES = ['function', 'registration', 'error'] as const;

/** The search of the address as a filter of the API. */
function filterOf(query: ScreenAddress['query']): Omit<DeadLetterFilter, 'ids'> {
  const words = NAMES.filter((name) => (query[name] ?? '') !== '').map((name) => [name, query[name]]);
  const since = query.since === undefined || query.since === '' ? {} : { sinceMs: Date.parse(query.since) };
  const until = query.until === undefined || query.until === '' ? {} : { untilMs: Date.parse(query.until) };
  return { ...(Object.fromEntries(words) as DeadLetterFilter), ...since, ...until };
}

/** Entries given up on: search, redrive, discard. */
export function LettersScreen({ query }: ScreenAddress): JSX.Element {
  const age = useTopicAge('deadLetters');
  const filter = filterOf(query);
  const limit = useSignal(FIRST_ROWS);
  const list = useFetched<List<DeadLetter>>('/v1/dead-letters', { ...filter, limit: limit.value }, age);
  const total = useFetched<{ count: number }>('/v1/dead-letters/count', { ...filter }, age).data?.count ?? null;
  const chosen = useSignal<ReadonlySet<string>>(new Set());
  return (
    <Screen
      title="Dead letters"
      lead="Entries given up on, kept with payload and error until they are redriven or discarded."
    >
      <SearchForm key={JSON.stringify(query)} query={query} />
      <Answer to={list}>
        {({ items, nextCursor }) => (
          <>
            <Tools filter={filter} total={total ?? items.length} chosen={chosen} onDone={list.reload} />
            <LetterTable
              letters={items}
              total={total ?? items.length}
              chosen={chosen}
              isSearch={Object.keys(filter).length > 0}
            />
            <MoreRows limit={limit} nextCursor={nextCursor} />
          </>
        )}
      </Answer>
    </Screen>
  );
}

interface ToolsProps {
  readonly filter: DeadLetterFilter;
  readonly total: number;
  readonly chosen: Signal<ReadonlySet<string>>;
  readonly onDone: () => void;
}

/** Acts on the chosen letters, or where none is chosen on all that the search finds. */
function Tools({ filter, total, chosen, onDone }: ToolsProps): JSX.Element | null {
  const { redrive, discard } = useLetterActions(() => {
    chosen.value = new Set();
    onDone();
  });
  if (total === 0) return null;
  const ids = [...chosen.value];
  const isAll = Object.keys(filter).length === 0;
  const found = isAll ? 'all dead letters' : 'all dead letters that the search finds';
  const selection: Selection =
    ids.length === 0 ? { filter, words: found } : { filter: { ids }, words: plural(ids.length, 'chosen dead letter') };
  return (
    <div class="toolbar">
      <ActionButton needs="admin" tone="main" onClick={() => void redrive(selection)}>
        Redrive {ids.length === 0 ? 'all found' : `${ids.length} chosen`}
      </ActionButton>
      <ActionButton needs="admin" tone="danger" onClick={() => void discard(selection)}>
        Discard {ids.length === 0 ? 'all found' : `${ids.length} chosen`}
      </ActionButton>
    </div>
  );
}

/** The search, which stands in the address. */
function SearchForm({ query }: { readonly query: ScreenAddress['query'] }): JSX.Element {
  const { router } = useApp();
  const submit = (event: TargetedEvent<HTMLFormElement>): void => {
    event.preventDefault();
    const fields = Object.fromEntries(new FormData(event.currentTarget)) as Record<string, string>;
    router.go(placeHref(['dead-letters'], fields));
  };
  const isSearch = Object.values(query).some((value) => value !== '');
  return (
    <search aria-label="Search dead letters">
      <form class="toolbar" onSubmit={submit}>
        <SearchField name="error" label="Error" placeholder="code or text" value={query.error} isFirst />
        <SearchField name="function" label="Function" value={query.function} />
        <SearchField name="registration" label="Registration" value={query.registration} />
        <TimeField name="since" label="Since" value={query.since} />
        <TimeField name="until" label="Until" value={query.until} />
        <button type="submit" class="button">
          Search
        </button>
        {isSearch ? <a href="#/dead-letters">Clear search</a> : null}
      </form>
    </search>
  );
}

interface SearchFieldProps {
  readonly name: string;
  readonly label: string;
  readonly value: string | undefined;
  readonly placeholder?: string;
  readonly isFirst?: boolean;
}

function SearchField({ name, label, value, placeholder, isFirst }: SearchFieldProps): JSX.Element {
  return (
    <label class="field">
      <span>{label}</span>
      <input
        class="input"
        name={name}
        placeholder={placeholder}
        defaultValue={value ?? ''}
        data-shortcut={isFirst === true ? 'search' : undefined}
      />
    </label>
  );
}

function TimeField({ name, label, value }: SearchFieldProps): JSX.Element {
  return (
    <label class="field">
      <span>{label}</span>
      <input class="input" name={name} type="datetime-local" defaultValue={value ?? ''} />
    </label>
  );
}
