import { useSignal } from '@preact/signals';
import { url } from '../../api/client.ts';
import type { Registration } from '../../api/types.ts';
import { CheckField, TextField } from '../../parts/fields.tsx';
import { useApp } from '../../state/app.ts';

export interface RegistrationActions {
  readonly pause: (registration: Registration) => void;
  readonly resume: (registration: Registration) => void;
  readonly clear: (registration: Registration) => void;
  readonly clearAll: () => void;
  readonly unregister: (registration: Registration) => void;
}

/** What can be done to a registration; each asks first. */
export function useRegistrationActions(): RegistrationActions {
  return { ...useStateActions(), ...useStatisticsActions(), ...useUnregister() };
}

function pathOf(id: string): string {
  return url`/v1/registrations/${id}`;
}

function useStateActions(): Pick<RegistrationActions, 'pause' | 'resume'> {
  const { api, dialogs } = useApp();
  const reason = useSignal('');
  return {
    pause: ({ id }) => {
      reason.value = '';
      dialogs.ask({
        title: `Pause ${id}?`,
        body: (
          <>
            <p>Nothing more is started. Entries stay where they are and wait.</p>
            <TextField label="Reason" hint="shown to whoever finds it paused" value={reason} />
          </>
        ),
        action: 'Pause',
        run: async () => {
          const body = reason.value.trim() === '' ? undefined : { reason: reason.value.trim() };
          await api.send({ method: 'POST', path: `${pathOf(id)}/pause`, body });
          return `${id} is paused.`;
        },
      });
    },
    resume: ({ id }) =>
      dialogs.ask({
        title: `Resume ${id}?`,
        body: <p>It goes on where it stopped; what has waited runs now.</p>,
        action: 'Resume',
        run: async () => {
          await api.send({ method: 'POST', path: `${pathOf(id)}/resume` });
          return `${id} runs again.`;
        },
      }),
  };
}

function useStatisticsActions(): Pick<RegistrationActions, 'clear' | 'clearAll'> {
  const { api, dialogs } = useApp();
  return {
    clear: ({ id }) =>
      dialogs.ask({
        title: `Clear the statistics of ${id}?`,
        body: <p>Its numbers begin at 0 again, and “failed before” is forgotten.</p>,
        action: 'Clear',
        run: async () => {
          await api.send({ method: 'DELETE', path: `${pathOf(id)}/statistics` });
          return `The statistics of ${id} are cleared.`;
        },
      }),
    clearAll: () =>
      dialogs.ask({
        title: 'Clear the statistics of all registrations?',
        body: <p>All numbers begin at 0 again, and “failed before” is forgotten.</p>,
        action: 'Clear all',
        isDangerous: true,
        run: async () => {
          await api.send({ method: 'DELETE', path: '/v1/statistics' });
          return 'All statistics are cleared.';
        },
      }),
  };
}

function useUnregister(): Pick<RegistrationActions, 'unregister'> {
  const { api, dialogs, router } = useApp();
  const isAborted = useSignal(false);
  return {
    unregister: ({ id, functionName }) => {
      isAborted.value = false;
      dialogs.ask({
        title: `Unregister ${id}?`,
        body: (
          <>
            <p>It goes out of force until {functionName} is loaded again.</p>
            <CheckField label="Give up what is in work" value={isAborted} />
          </>
        ),
        action: 'Unregister',
        isDangerous: true,
        run: async () => {
          await api.send({ method: 'DELETE', path: pathOf(id), query: { abortPending: isAborted.value } });
          router.go('#/registrations');
          return `${id} is unregistered.`;
        },
      });
    },
  };
}
