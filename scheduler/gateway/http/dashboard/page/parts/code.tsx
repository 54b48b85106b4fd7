import type { JSX } from 'preact';
import { useEffect, useMemo, useRef } from 'preact/hooks';
import { type Token, tokenLines } from '../text/tokens.ts';

export interface CodeProps {
  readonly label: string;
  readonly source: string;
  /** This line is marked and brought into view. */
  readonly line?: number | undefined;
  /** Shows only so many lines around the marked one. */
  readonly around?: number;
}

/** Source text with the numbers of its lines. */
export function Code({ label, source, line, around }: CodeProps): JSX.Element {
  const lines = useMemo(() => tokenLines(source), [source]);
  const marked = useRef<HTMLLIElement>(null);
  useEffect(() => {
    if (around === undefined) marked.current?.scrollIntoView({ block: 'center' });
  }, [line, source, around]);
  const first = around === undefined || line === undefined ? 1 : Math.max(1, line - around);
  const last = around === undefined || line === undefined ? lines.length : Math.min(lines.length, line + around);
  const scrolls = { tabIndex: 0 };
  return (
    <figure class="code" aria-label={label} {...scrolls}>
      <ol>
        {lines.slice(first - 1, last).map((tokens, at) => {
          const number = first + at;
          const isMarked = number === line;
          return (
            <li key={number} ref={isMarked ? marked : null} class={isMarked ? 'marked' : undefined} data-line={number}>
              <Tokens tokens={tokens} />
            </li>
          );
        })}
      </ol>
    </figure>
  );
}

export function Tokens({ tokens }: { readonly tokens: readonly Token[] }): JSX.Element {
  return (
    <code>
      {tokens.map(({ kind, text }, at) =>
        kind === 'plain' ? (
          text
        ) : (
          <span key={at} class={`token-${kind}`}>
            {text}
          </span>
        ),
      )}
    </code>
  );
}
