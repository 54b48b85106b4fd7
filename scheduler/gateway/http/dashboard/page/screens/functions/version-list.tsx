import type { JSX } from 'preact';
import type { FunctionInfo, Version } from '../../api/types.ts';
import { ActionButton, Age, Badge } from '../../parts/basics.tsx';
import { type Column, Table } from '../../parts/table.tsx';
import { placeHref } from '../../state/router.ts';
import { type FunctionActions, useFunctionActions } from './function-actions.tsx';

export interface VersionListProps {
  readonly info: FunctionInfo;
  readonly versions: readonly Version[];
}

/** The versions of a function, newest first. */
export function VersionList({ info, versions }: VersionListProps): JSX.Element {
  const actions = useFunctionActions(info);
  return (
    <Table
      label={`versions of ${info.name}`}
      rows={versions}
      columns={columnsFor(actions, info.activeVersion)}
      rowKey={({ version }) => String(version)}
      empty="There is no version."
    />
  );
}

function columnsFor(actions: FunctionActions, activeVersion: number | null): readonly Column<Version>[] {
  return [
    {
      id: 'version',
      label: 'Version',
      cell: ({ functionName, version, active, language }) => (
        <>
          <a class="strong" href={placeHref(['functions', functionName, 'source'], { version })}>
            {version}
          </a>{' '}
          <span class="soft">{language}</span> {active ? <Badge tone="ok">active</Badge> : null}
        </>
      ),
    },
    { id: 'created', label: 'Uploaded', cell: ({ createdAtMs }) => <Age atMs={createdAtMs} /> },
    { id: 'description', label: 'Description', cell: ({ description }) => description ?? '' },
    { id: 'registers', label: 'Registers', cell: ({ registrations }) => <Registers registrations={registrations} /> },
    { id: 'narrows', label: 'Narrowed to', cell: (version) => <Narrowing version={version} /> },
    { id: 'hash', label: 'SHA-256', cell: ({ sha256 }) => <code title={sha256}>{sha256.slice(0, 8)}</code> },
    { id: 'actions', label: 'Actions', cell: (version) => <VersionTools {...{ version, actions, activeVersion }} /> },
  ];
}

function Registers({ registrations }: Pick<Version, 'registrations'>): JSX.Element {
  return (
    <>
      {registrations.map(({ id, reader, mode }) => (
        <span key={id} class="below">
          <code class="wrap">{id}</code>{' '}
          <span class="soft">
            {reader}, {mode}
          </span>
        </span>
      ))}
    </>
  );
}

/** What the version has said it needs, and no more. */
function Narrowing({ version: { limits, commands, keys, secrets } }: { readonly version: Version }): JSX.Element {
  const parts = [
    ...(commands === null ? [] : [`commands ${commands.join(' ')}`]),
    ...(keys === null ? [] : [`keys ${keys.join(' ')}`]),
    ...(secrets === null ? [] : [`secrets ${secrets.join(' ')}`]),
    ...Object.entries(limits ?? {}).map(([name, value]) => `${name} ${String(value)}`),
  ];
  return <span class="soft wrap">{parts.length === 0 ? 'not narrowed' : parts.join(', ')}</span>;
}

interface ToolsProps {
  readonly version: Version;
  readonly actions: FunctionActions;
  readonly activeVersion: number | null;
}

function VersionTools({ version: { functionName, version, active }, actions, activeVersion }: ToolsProps): JSX.Element {
  const isBack = activeVersion !== null && version < activeVersion;
  return (
    <div class="tools">
      {active ? null : (
        <ActionButton needs="admin" onClick={() => (isBack ? actions.rollBack(version) : actions.activate(version))}>
          {isBack ? `Roll back to ${version}` : `Activate ${version}`}
        </ActionButton>
      )}
      {active || activeVersion === null ? null : (
        <a
          class="button button-quiet"
          href={placeHref(['functions', functionName, 'diff'], { from: version, to: activeVersion })}
        >
          Compare
        </a>
      )}
    </div>
  );
}
