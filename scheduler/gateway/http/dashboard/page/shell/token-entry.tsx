import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import { ProblemNote } from '../parts/basics.tsx';
import { useApp } from '../state/app.ts';

/** Asks for the token that the API wants. */
export function TokenEntry(): JSX.Element {
  const { api, session } = useApp();
  const token = useSignal('');
  const isKept = useSignal(false);
  const problem = session.problem.value;
  useEffect(() => {
    document.title = 'Token · ReGears';
  }, []);
  const submit = (event: Event): void => {
    event.preventDefault();
    session.enter(token.value.trim(), isKept.value);
    void session.open(api);
  };
  return (
    <main class="entry">
      <form class="card" onSubmit={submit}>
        <h1>ReGears</h1>
        <p class="soft">
          This node asks for a token. Make one where the node runs:{' '}
          <code>regears token create --role admin dashboard</code>
        </p>
        <label class="field">
          <span>Token</span>
          <input
            class="input"
            type="password"
            autocomplete="current-password"
            required
            value={token.value}
            onInput={(event) => {
              token.value = event.currentTarget.value;
            }}
          />
        </label>
        <label class="check">
          <input
            type="checkbox"
            checked={isKept.value}
            onChange={(event) => {
              isKept.value = event.currentTarget.checked;
            }}
          />
          Keep it in this browser
        </label>
        {problem === null || (problem.status === 401 && session.token() === null) ? null : (
          <ProblemNote problem={problem} />
        )}
        <button type="submit" class="button button-main">
          Open
        </button>
      </form>
    </main>
  );
}
