import { useSignal } from '@preact/signals';
import { url } from '../../api/client.ts';
import type { FunctionInfo, Loaded } from '../../api/types.ts';
import { useApp } from '../../state/app.ts';

export interface FunctionActions {
  readonly activate: (version: number) => void;
  /** To the version before, or to this one. */
  readonly rollBack: (version?: number) => void;
  readonly remove: () => void;
}

/** What can be done to a function; each asks first. */
export function useFunctionActions({ name, activeVersion, registrations }: FunctionInfo): FunctionActions {
  const { api, dialogs, router } = useApp();
  const fromId = useSignal('');
  const isAborted = useSignal(false);
  return {
    activate: (version) =>
      dialogs.ask({
        title: `Activate version ${version} of ${name}?`,
        body: <p>New entries and commands run on it; what is in work ends on version {activeVersion ?? 'none'}.</p>,
        action: 'Activate',
        run: async () => {
          await api.send<Loaded>({ method: 'POST', path: url`/v1/functions/${name}/versions/${version}/activate` });
          return `Version ${version} of ${name} is active.`;
        },
      }),
    rollBack: (version) => {
      fromId.value = '';
      dialogs.ask({
        title: version === undefined ? `Roll ${name} back?` : `Roll ${name} back to version ${version}?`,
        body: <RollBackFields activeVersion={activeVersion} fromId={fromId} />,
        action: 'Roll back',
        run: async () => {
          const body = {
            ...(version === undefined ? {} : { version }),
            ...(fromId.value.trim() === '' ? {} : { fromId: fromId.value.trim() }),
          };
          const loaded = await api.send<Loaded>({ method: 'POST', path: url`/v1/functions/${name}/rollback`, body });
          return `${name} is back on version ${loaded.version}.`;
        },
      });
    },
    remove: () =>
      dialogs.ask({
        title: `Delete ${name} with all its versions?`,
        body: <RemoveFields registrations={registrations.length} isAborted={isAborted} />,
        action: 'Delete',
        isDangerous: true,
        run: async () => {
          const query = { abortPending: isAborted.value };
          await api.send({ method: 'DELETE', path: url`/v1/functions/${name}`, query });
          router.go('#/functions');
          return `${name} is deleted.`;
        },
      }),
  };
}

interface RollBackProps {
  readonly activeVersion: number | null;
  readonly fromId: { value: string };
}

function RollBackFields({ activeVersion, fromId }: RollBackProps): preact.JSX.Element {
  return (
    <>
      <p>Version {activeVersion ?? 'none'} is active now. What is in work ends on it.</p>
      <label class="field">
        <span>Run again from (an entry’s id, or a time in ms; empty: only new entries)</span>
        <input
          class="input"
          value={fromId.value}
          onInput={(event) => {
            fromId.value = event.currentTarget.value;
          }}
        />
      </label>
    </>
  );
}

interface RemoveProps {
  readonly registrations: number;
  readonly isAborted: { value: boolean };
}

function RemoveFields({ registrations, isAborted }: RemoveProps): preact.JSX.Element {
  return (
    <>
      <p>Its registrations ({registrations}) go out of force. Its sources cannot be had back from here.</p>
      <label class="check">
        <input
          type="checkbox"
          checked={isAborted.value}
          onChange={(event) => {
            isAborted.value = event.currentTarget.checked;
          }}
        />
        Give up what is in work
      </label>
    </>
  );
}
