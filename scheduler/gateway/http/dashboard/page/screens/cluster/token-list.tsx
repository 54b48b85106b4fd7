import { type Signal, useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { url } from '../../api/client.ts';
import type { List, Role } from '../../api/types.ts';
import { ActionButton, Age, Card, Loading, ProblemNote } from '../../parts/basics.tsx';
import { ChoiceField, TextField } from '../../parts/fields.tsx';
import { type Column, Table } from '../../parts/table.tsx';
import { useApp } from '../../state/app.ts';
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
  const { data, problem, reload } = useFetched<List<Token>>(session.can('admin') ? PATH : null);
  const made = useSignal<string | null>(null);
  const actions = useTokenActions(reload, (token) => {
    made.value = token;
  });
  if (!session.can('admin')) return <p class="empty">Tokens are shown to role admin only.</p>;
  return (
    <Card
      title="Tokens"
      tools={
        <ActionButton needs="admin" onClick={actions.create}>
          New token
        </ActionButton>
      }
    >
      {problem === null ? null : <ProblemNote problem={problem} />}
      {made.value === null ? null : (
        <div class="note" role="status">
          <p>The new token, shown this once:</p>
          <pre class="block">{made.value}</pre>
        </div>
      )}
      {data === null ? (
        <Loading />
      ) : (
        <Table
          label="tokens"
          rows={data.items}
          columns={columnsFor(actions.revoke)}
          rowKey={({ id }) => id}
          empty="There is no token: the API is open to this machine, and only to it."
        />
      )}
    </Card>
  );
}

function useTokenActions(onDone: () => void, onMade: (token: string) => void) {
  const { api, dialogs, session } = useApp();
  const name = useSignal('');
  const role = useSignal<string>('read');
  return {
    create: () => {
      name.value = '';
      dialogs.ask({
        title: 'Make a token?',
        body: <TokenFields name={name} role={role} isFirst={session.me.value?.authentication === 'open'} />,
        action: 'Make',
        run: async () => {
          const { token } = await api.send<Token & { token: string }>({
            method: 'POST',
            path: PATH,
            body: { name: name.value.trim(), role: role.value },
          });
          onMade(token);
          onDone();
          return `Token ${name.value} is made.`;
        },
      });
    },
    revoke: (token: Token) =>
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

interface TokenFieldsProps {
  readonly name: Signal<string>;
  readonly role: Signal<string>;
  readonly isFirst: boolean;
}

function TokenFields({ name, role, isFirst }: TokenFieldsProps): JSX.Element {
  return (
    <>
      {isFirst ? (
        <p>As soon as there is a token the API asks everybody for one, this page too. Begin with one of role admin.</p>
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
