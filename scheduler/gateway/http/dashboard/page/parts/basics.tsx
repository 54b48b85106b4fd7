import type { ComponentChildren, JSX } from 'preact';
import { adviceFor, type Problem } from '../api/problem.ts';
import type { Role } from '../api/types.ts';
import { useApp } from '../state/app.ts';
import { ago, moment } from '../text/format.ts';

export type Tone = 'ok' | 'warn' | 'bad' | 'calm' | 'accent';

/** A word with a dot; the word says what the colour says. */
export function Badge({ tone, children }: { readonly tone: Tone; readonly children: ComponentChildren }): JSX.Element {
  return <span class={`badge badge-${tone}`}>{children}</span>;
}

/** What went wrong, its code, and what to do. */
export function ProblemNote({ problem }: { readonly problem: Problem }): JSX.Element {
  const stack = problem.details?.stack;
  return (
    <div class="note note-bad" role="alert">
      <p>
        <strong>{problem.title}</strong> <code>{problem.code}</code>
      </p>
      <p class="wrap">{problem.detail}</p>
      {typeof stack === 'string' ? <pre class="block">{stack}</pre> : null}
      <p class="soft">{adviceFor(problem)}</p>
    </div>
  );
}

/** A moment; shown as an age that grows, with the time of day to point at. */
export function Age({ atMs }: { readonly atMs: number | null }): JSX.Element {
  const { now } = useApp();
  if (atMs === null) return <span class="soft">–</span>;
  return (
    <time dateTime={new Date(atMs).toISOString()} title={moment(atMs)}>
      {ago(now.value - atMs)}
    </time>
  );
}

export interface ActionButtonProps {
  readonly needs: Role;
  readonly onClick: () => void;
  readonly children: ComponentChildren;
  readonly tone?: 'plain' | 'main' | 'danger' | 'quiet';
  /** For a name that is longer than the text, such as one that says of what. */
  readonly label?: string;
  readonly isOff?: boolean;
}

/** A button for something that a role must allow; where it does not, the button says so. */
export function ActionButton({
  needs,
  onClick,
  children,
  tone = 'plain',
  label,
  isOff,
}: ActionButtonProps): JSX.Element {
  const { session } = useApp();
  const isAllowed = session.can(needs);
  return (
    <button
      type="button"
      class={`button button-${tone}`}
      disabled={!isAllowed || isOff === true}
      title={isAllowed ? undefined : `Needs a token with role ${needs}.`}
      aria-label={label}
      onClick={onClick}
    >
      {children}
    </button>
  );
}

export interface CardProps {
  readonly title: string;
  readonly children: ComponentChildren;
  readonly tools?: ComponentChildren;
  readonly level?: 2 | 3;
}

/** A part of a screen with a heading. */
export function Card({ title, children, tools, level = 2 }: CardProps): JSX.Element {
  const id = `card-${title.toLowerCase().replace(/\W+/g, '-')}`;
  return (
    <section class="card" aria-labelledby={id}>
      <div class="card-head">
        {level === 2 ? <h2 id={id}>{title}</h2> : <h3 id={id}>{title}</h3>}
        {tools === undefined ? null : <div class="tools">{tools}</div>}
      </div>
      {children}
    </section>
  );
}

/** Shown while nothing is known yet, and when a list has nothing in it. */
export function Empty({ children }: { readonly children: ComponentChildren }): JSX.Element {
  return <div class="empty">{children}</div>;
}

export interface AnswerProps<T> {
  readonly to: { readonly data: T | null; readonly problem: Problem | null };
  readonly children: (data: T) => ComponentChildren;
}

/** What a route has answered: the problem if there is one, and what is known. */
export function Answer<T>({ to: { data, problem }, children }: AnswerProps<T>): JSX.Element {
  const isWaiting = data === null && problem === null;
  return (
    <>
      {problem === null ? null : <ProblemNote problem={problem} />}
      {isWaiting ? <Loading /> : null}
      {data === null ? null : children(data)}
    </>
  );
}

export function Loading(): JSX.Element {
  return (
    <p class="empty" role="status">
      Loading …
    </p>
  );
}

/** Names and values, one a line. Those without a value are left out. */
export function Facts({ facts }: { readonly facts: readonly (readonly [string, ComponentChildren])[] }): JSX.Element {
  const given = facts.filter(([, value]) => value !== null && value !== undefined && value !== '');
  return (
    <dl class="facts">
      {given.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
