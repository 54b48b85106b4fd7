import { type Signal, useSignal, useSignalEffect } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import type { Problem } from '../../api/problem.ts';
import type { LogLine } from '../../api/types.ts';
import { Card, Empty, ProblemNote } from '../../parts/basics.tsx';
import { CheckField, ChoiceField } from '../../parts/fields.tsx';
import { LogLines } from '../../parts/log-lines.tsx';
import { Screen } from '../../parts/screen.tsx';
import { useApp } from '../../state/app.ts';
import { createLink } from '../../state/link.ts';
import { placeHref } from '../../state/router.ts';
import { useList } from '../../state/use-list.ts';
import type { ScreenAddress } from '../current-screen.tsx';

const LEVELS = [
  ['', 'all'],
  ['verbose', 'verbose and up'],
  ['notice', 'notice and up'],
  ['warning', 'warning'],
] as const;

/** How many lines the page keeps, and how many it shows of those that match. */
const KEPT = 2_000;
const SHOWN = 500;

/** What functions write, as it comes. */
export function LogsScreen({ query }: ScreenAddress): JSX.Element {
  const { router } = useApp();
  const functions = useList('functions', '/v1/functions').data ?? [];
  const { lines, problem, isPaused } = useLogLines(query.function ?? '', query.level ?? '');
  const filter = useSignal('');
  const words = filter.value.toLowerCase();
  const matching = lines.filter(({ message }) => message.toLowerCase().includes(words)).slice(-SHOWN);
  const go = (next: Readonly<Record<string, string>>): void => router.go(placeHref(['logs'], { ...query, ...next }));
  return (
    <Screen title="Logs" lead="What functions write with log(), as it comes.">
      <div class="toolbar">
        <input
          type="search"
          class="input search"
          placeholder="Filter"
          aria-label="Filter lines"
          data-shortcut="search"
          value={filter.value}
          onInput={(event) => {
            filter.value = event.currentTarget.value;
          }}
        />
        <ChoiceField
          label="Function"
          value={query.function ?? ''}
          choices={[['', 'any'], ...functions.map(({ name }) => [name, name] as const)]}
          onChoose={(name) => go({ function: name })}
        />
        <ChoiceField label="Level" value={query.level ?? ''} choices={LEVELS} onChoose={(level) => go({ level })} />
        <CheckField label="Hold still" value={isPaused} />
      </div>
      {problem === null ? null : <ProblemNote problem={problem} />}
      <Card title={isPaused.value ? 'Lines, held still' : 'Lines, newest last'}>
        {matching.length === 0 ? (
          <Empty>No line {lines.length === 0 ? 'has come yet' : 'is like this'}.</Empty>
        ) : (
          <FollowingLines lines={matching} />
        )}
      </Card>
    </Screen>
  );
}

/** How close to the end still counts as being there, px. */
const NEAR_END = 40;

/** The lines in a box that stays at its end until somebody scrolls up. */
function FollowingLines({ lines }: { readonly lines: readonly LogLine[] }): JSX.Element {
  const box = useRef<HTMLDivElement>(null);
  const isAtEnd = useRef(true);
  useEffect(() => {
    if (isAtEnd.current) box.current?.scrollTo({ top: box.current.scrollHeight });
  }, [lines]);
  const scrolls = { tabIndex: 0, role: 'log', 'aria-label': 'Lines' } as const;
  return (
    <div
      ref={box}
      class="log-box"
      {...scrolls}
      onScroll={({ currentTarget: { scrollTop, clientHeight, scrollHeight } }) => {
        isAtEnd.current = scrollTop + clientHeight > scrollHeight - NEAR_END;
      }}
    >
      <LogLines lines={lines} />
    </div>
  );
}

interface LiveLines {
  readonly lines: readonly LogLine[];
  readonly problem: Problem | null;
  readonly isPaused: Signal<boolean>;
}

/** The newest lines, live. While they are held still, lines that come are kept and not shown. */
function useLogLines(functionName: string, level: string): LiveLines {
  const { api } = useApp();
  const lines = useSignal<readonly LogLine[]>([]);
  const shown = useSignal<readonly LogLine[]>([]);
  const problem = useSignal<Problem | null>(null);
  const isPaused = useSignal(false);
  useEffect(() => {
    lines.value = [];
    const link = createLink({
      api,
      path: '/v1/logs/live',
      query: () => ({ function: functionName, level, after: lines.peek().at(-1)?.id }),
      onEvent: ({ event, data }) => {
        if (event === 'line') lines.value = [...lines.value, data as LogLine].slice(-KEPT);
      },
    });
    const forget = link.problem.subscribe((reason) => {
      problem.value = reason;
    });
    link.open();
    return () => {
      forget();
      link.close();
    };
  }, [functionName, level]);
  useSignalEffect(() => {
    if (!isPaused.value) shown.value = lines.value;
  });
  return { lines: shown.value, problem: problem.value, isPaused };
}
