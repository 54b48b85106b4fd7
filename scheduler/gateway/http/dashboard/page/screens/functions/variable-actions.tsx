import { type Signal, useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { url } from '../../api/client.ts';
import { TextField } from '../../parts/fields.tsx';
import { useApp } from '../../state/app.ts';

export type Kind = 'env' | 'secrets';

export interface VariableActions {
  /** A new one, or another value of the one that is named. */
  readonly set: (name?: string, value?: string) => void;
  readonly unset: (name: string) => void;
}

export interface ActionsFor {
  readonly functionName: string;
  readonly kind: Kind;
  /** At which what is on the screen was read: a change by somebody else meanwhile is not overwritten unseen. */
  readonly revision: number;
  /** That of the page's own last change. */
  readonly ownRevision: { current: number };
  readonly onDone: () => void;
}

/** What can be done to the variables of a function; each asks first. */
export function useVariableActions({ functionName, kind, revision, ownRevision, onDone }: ActionsFor): VariableActions {
  const { api, dialogs } = useApp();
  const name = useSignal('');
  const value = useSignal('');
  const noun = kind === 'env' ? 'variable' : 'secret';
  const change = async (body: object): Promise<void> => {
    // Also after a refusal: what is on the screen may be old.
    const sent = api.send<{ readonly revision: number }>({
      method: 'POST',
      path: url`/v1/functions/${functionName}/` + kind,
      body: { ...body, revision: Math.max(revision, ownRevision.current) },
    });
    ownRevision.current = (await sent.finally(onDone)).revision;
  };
  return {
    set: (known = '', before = '') => {
      name.value = known;
      value.value = before;
      dialogs.ask({
        title: known === '' ? `Set a ${noun} of ${functionName}?` : `Change ${known} of ${functionName}?`,
        body: <ValueFields kind={kind} name={known === '' ? name : null} value={value} />,
        action: 'Set',
        run: async () => {
          const given = name.value.trim();
          const set = { [given]: value.value };
          await change({ set });
          // It is not to stay in the page.
          value.value = '';
          return `${given} of ${functionName} is set.`;
        },
      });
    },
    unset: (known) =>
      dialogs.ask({
        title: `Unset ${known} of ${functionName}?`,
        body: <UnsetText kind={kind} name={known} />,
        action: 'Unset',
        isDangerous: true,
        run: async () => {
          await change({ unset: [known] });
          return `${known} of ${functionName} is unset.`;
        },
      }),
  };
}

interface ValueFieldsProps {
  readonly kind: Kind;
  /** Null = it is known. */
  readonly name: Signal<string> | null;
  readonly value: Signal<string>;
}

function ValueFields({ kind, name, value }: ValueFieldsProps): JSX.Element {
  const isSecret = kind === 'secrets';
  return (
    <>
      <p>
        {isSecret
          ? 'Nobody sees the value again but the function. It reads it from its next secret(name) on.'
          : 'Whoever may look at functions sees the value. The function reads it from its next env(name) on.'}
      </p>
      {name === null ? null : <TextField label="Name" value={name} placeholder="API_KEY" />}
      <TextField
        label="Value"
        value={value}
        isHidden={isSecret}
        {...(isSecret ? { hint: '8 characters or more' } : {})}
      />
    </>
  );
}

function UnsetText({ kind, name }: { readonly kind: Kind; readonly name: string }): JSX.Element {
  if (kind === 'env') return <p>env({JSON.stringify(name)}) then answers null, or the default it is given.</p>;
  return <p>Its value cannot be had back. A version that asks for it stops running until it is set again.</p>;
}
