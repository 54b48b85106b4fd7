import { type Signal, useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { url } from '../../api/client.ts';
import type { List, Role } from '../../api/types.ts';
import { ActionButton, Age, Answer, Card } from '../../parts/basics.tsx';
import { ChoiceField, TextField } from '../../parts/fields.tsx';
import { type Column, Table } from '../../parts/table.tsx';
import { useApp } from '../../state/app.ts';
import type { Question } from '../../state/dialogs.ts';
import { useFetched } from '../../state/use-list.ts';

interface Token {
  readonly id: string;
  readonly name: string;
  readonly role: Role;
  readonly createdAtMs: number;
  readonly expiresAtMs: number | null;
  readonly lastUsedAtMs: number | null;
}

const PATH = '/v1/tokens';
const ROLES = [
  ['read', 'read: look'],
  ['invoke', 'invoke: also run functions'],
  ['admin', 'admin: also change'],
] as const;

/** Who may use the API. A token is shown once, when it is made. */
export function TokenList(): JSX.Element {
  const { session } = useApp();
  const list = useFetched<List<Token>>(session.can('admin') ? PATH : null);
  const { create, revoke } = useTokenActions(list.reload);
  if (!session.can('admin')) return <p class="empty">Tokens are shown to role admin only.</p>;
  return (
    <Card
      title="Tokens"
      tools={
        <ActionButton needs="admin" onClick={create}>
          New token
        </ActionButton>
      }
    >
      <Answer to={list}>
        {({ items }) => (
          <Table
            label="tokens"
            rows={items}
            columns={columnsFor(revoke)}
            rowKey={({ id }) => id}
            empty="There is no token: the API is open to this machine, and only to it."
          />
        )}
      </Answer>
    </Card>
  );
}

interface TokenActions {
  readonly create: () => void;
  readonly revoke: (token: Token) => void;
}

function useTokenActions(onDone: () => void): TokenActions {
  const { api, dialogs, session } = useApp();
  const name = useSignal('');
  const role = useSignal<string>('admin');
  const make = async (): Promise<Question> => {
    const wasOpen = session.me.value?.authentication === 'open';
    const body = { name: name.value.trim(), role: role.value };
    const { token } = await api.send<Token & { token: string }>({ method: 'POST', path: PATH, body });
    // From now on the API asks this page, too.
    if (wasOpen) session.enter(token, false);
    if (wasOpen) await session.open(api);
    onDone();
    return shown(body.name, token);
  };
  return {
    create: () => {
      name.value = '';
      dialogs.ask({
        title: 'Make a token?',
        body: <TokenFields name={name} role={role} isFirst={session.me.value?.authentication === 'open'} />,
        action: 'Make',
        run: make,
      });
    },
    revoke: (token) =>
      dialogs.ask({
        title: `Revoke token ${token.name}?`,
        body: <p>Whoever uses it is refused from now on.</p>,
        action: 'Revoke',
        isDangerous: true,
        run: async () => {
          await api.send({ method: 'DELETE', path: url`/v1/tokens/${token.id}` });
          onDone();
          return `Token ${token.name} is revoked.`;
        },
      }),
  };
}

/** The only time that a token is to be seen. */
function shown(name: string, token: string): Question {
  return {
    title: `Token ${name}`,
    body: (
      <>
        <p>Copy it now: it is shown this once, and kept nowhere.</p>
        <pre class="block">{token}</pre>
      </>
    ),
    action: 'Done',
    run: async () => `Token ${name} is made.`,
  };
}

interface TokenFieldsProps {
  readonly name: Signal<string>;
  readonly role: Signal<string>;
  readonly isFirst: boolean;
}

function TokenFields({ name, role, isFirst }: TokenFieldsProps): JSX.Element {
  return (
    <>
      {isFirst ? (
        <p>
          As soon as there is a token the API asks everybody for one, this page too. This page goes on with the new one,
          so begin with role admin.
        </p>
      ) : null}
      <TextField label="Name" value={name} />
      <ChoiceField
        label="Role"
        value={role.value}
        choices={ROLES}
        onChoose={(chosen) => {
          role.value = chosen;
        }}
      />
    </>
  );
}

function columnsFor(revoke: (token: Token) => void): readonly Column<Token>[] {
  return [
    {
      id: 'name',
      label: 'Token',
      cell: ({ name, id }) => (
        <>
          <strong>{name}</strong> <code class="soft">{id}</code>
        </>
      ),
    },
    { id: 'role', label: 'Role', cell: ({ role }) => role },
    { id: 'created', label: 'Made', cell: ({ createdAtMs }) => <Age atMs={createdAtMs} /> },
    { id: 'used', label: 'Last used', cell: ({ lastUsedAtMs }) => <Age atMs={lastUsedAtMs} /> },
    {
      id: 'expires',
      label: 'Ends',
      cell: ({ expiresAtMs }) =>
        expiresAtMs === null ? 'never' : new Date(expiresAtMs).toISOString().slice(0, 16).replace('T', ' '),
    },
    {
      id: 'actions',
      label: 'Actions',
      cell: (token) => (
        <ActionButton needs="admin" tone="danger" label={`Revoke ${token.name}`} onClick={() => revoke(token)}>
          Revoke
        </ActionButton>
      ),
    },
  ];
}
