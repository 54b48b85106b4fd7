import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import type { DeadLetterFilter, Discarded, Redriven } from '../../api/types.ts';
import { Badge } from '../../parts/basics.tsx';
import { useApp } from '../../state/app.ts';
import { plural } from '../../text/format.ts';

export interface LetterActions {
  /** Counts first, then asks. `words` says which letters. */
  readonly redrive: (selection: Selection) => Promise<void>;
  readonly discard: (selection: Selection) => Promise<void>;
}

export interface Selection {
  readonly filter: DeadLetterFilter;
  readonly words: string;
}

/** An empty filter means all, which the API wants to hear in so many words. */
function bodyOf(filter: DeadLetterFilter, dryRun: boolean): object {
  return { filter, dryRun, ...(Object.keys(filter).length === 0 ? { all: true } : {}) };
}

/** Redrive and discard, each with a dry run that counts before anybody is asked. `onDone` looks at the list again. */
export function useLetterActions(onDone: () => void): LetterActions {
  const { api, dialogs } = useApp();
  const send = <T,>(what: 'redrive' | 'discard', filter: DeadLetterFilter, dryRun: boolean): Promise<T> =>
    api.send<T>({ method: 'POST', path: `/v1/dead-letters/${what}`, body: bodyOf(filter, dryRun) });
  return {
    redrive: async ({ filter, words }) => {
      const count = () => send<Redriven>('redrive', filter, true);
      dialogs.ask({
        title: `Redrive ${words}?`,
        body: <DryRun count={count} does="go back to the end of their streams and run on the active version" />,
        action: 'Redrive',
        run: async () => {
          const done = await send<Redriven>('redrive', filter, false);
          onDone();
          return redrivenSentence(done);
        },
      });
    },
    discard: async ({ filter, words }) => {
      const count = () => send<Discarded>('discard', filter, true);
      dialogs.ask({
        title: `Discard ${words}?`,
        body: <DryRun count={count} does="are deleted for good, with their payloads" />,
        action: 'Discard',
        isDangerous: true,
        run: async () => {
          const done = await send<Discarded>('discard', filter, false);
          onDone();
          return `${plural(done.discarded, 'dead letter')} discarded.`;
        },
      });
    },
  };
}

/** What was redriven, and why the others were not. */
function redrivenSentence({ redriven, matched, lostToTrim, tooLarge, gone, refused }: Redriven): string {
  const left = [
    [lostToTrim, 'had been trimmed away'],
    [tooLarge, 'are too large'],
    [gone, 'were gone'],
    [refused.length, `refused: ${refused[0]?.message ?? ''}`],
  ] as const;
  const rest = left.filter(([amount]) => amount > 0).map(([amount, why]) => `${amount} ${why}`);
  return [`${redriven} of ${plural(matched, 'dead letter')} redriven`, ...rest].join('; ').concat('.');
}

interface DryRunProps {
  readonly count: () => Promise<{ readonly matched: number }>;
  readonly does: string;
}

/** How many an action would take, counted by the node without doing it. */
function DryRun({ count, does }: DryRunProps): JSX.Element {
  const matched = useSignal<number | null>(null);
  const failure = useSignal<string | null>(null);
  const isAsked = useSignal(false);
  if (!isAsked.peek()) {
    isAsked.value = true;
    count().then(
      (answer) => {
        matched.value = answer.matched;
      },
      (error: unknown) => {
        failure.value = error instanceof Error ? error.message : String(error);
      },
    );
  }
  if (failure.value !== null) return <p role="alert">They could not be counted: {failure.value}</p>;
  if (matched.value === null) return <p role="status">Counting …</p>;
  return (
    <p role="status">
      <Badge tone={matched.value === 0 ? 'calm' : 'accent'}>{plural(matched.value, 'dead letter')}</Badge> {does}.
    </p>
  );
}
