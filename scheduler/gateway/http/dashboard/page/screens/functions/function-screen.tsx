import type { JSX } from 'preact';
import { url } from '../../api/client.ts';
import type { FunctionInfo, List, Version } from '../../api/types.ts';
import { ActionButton, Loading, ProblemNote } from '../../parts/basics.tsx';
import { Screen, Tabs } from '../../parts/screen.tsx';
import { useApp } from '../../state/app.ts';
import { placeHref } from '../../state/router.ts';
import { useFetched } from '../../state/use-list.ts';
import { useTopicAge } from '../../state/use-topic-age.ts';
import type { ScreenAddress } from '../current-screen.tsx';
import { DiffView } from './diff-view.tsx';
import { EnvironmentView } from './environment-view.tsx';
import { useFunctionActions } from './function-actions.tsx';
import { SourceView } from './source-view.tsx';
import { VersionList } from './version-list.tsx';

/** One function: its versions, its source, how versions differ. */
export function FunctionScreen({ rest, query }: ScreenAddress): JSX.Element {
  const [name = '', tab = 'versions'] = rest;
  const age = useTopicAge('functions');
  const { data: info, problem } = useFetched<FunctionInfo>(url`/v1/functions/${name}`, {}, age);
  const versions = useFetched<List<Version>>(url`/v1/functions/${name}/versions`, {}, age).data?.items ?? null;
  return (
    <Screen
      title={name}
      parent={{ href: '#/functions', name: 'Functions' }}
      lead={info?.description ?? undefined}
      tools={info === null ? undefined : <FunctionTools info={info} />}
    >
      {problem === null ? null : <ProblemNote problem={problem} />}
      {info === null && problem !== null ? null : (
        <>
          <Tabs label={`Views of ${name}`} current={tab} tabs={tabsOf(name)} />
          {info === null || versions === null ? (
            <Loading />
          ) : (
            <Tab tab={tab} info={info} versions={versions} query={query} />
          )}
        </>
      )}
    </Screen>
  );
}

function tabsOf(name: string): readonly { id: string; name: string; href: string }[] {
  return [
    { id: 'versions', name: 'Versions', href: placeHref(['functions', name]) },
    { id: 'source', name: 'Source', href: placeHref(['functions', name, 'source']) },
    { id: 'diff', name: 'Compare', href: placeHref(['functions', name, 'diff']) },
    { id: 'environment', name: 'Environment', href: placeHref(['functions', name, 'environment']) },
  ];
}

interface TabProps {
  readonly tab: string;
  readonly info: FunctionInfo;
  readonly versions: readonly Version[];
  readonly query: ScreenAddress['query'];
}

function Tab({ tab, info, versions, query }: TabProps): JSX.Element {
  if (tab === 'source') return <SourceView info={info} versions={versions} query={query} />;
  if (tab === 'diff') return <DiffView info={info} versions={versions} query={query} />;
  if (tab === 'environment') return <EnvironmentView info={info} />;
  return <VersionList info={info} versions={versions} />;
}

function FunctionTools({ info }: { readonly info: FunctionInfo }): JSX.Element {
  const { rollBack, remove } = useFunctionActions(info);
  const { session } = useApp();
  return (
    <>
      {session.can('admin') ? (
        <a class="button" href={placeHref(['upload'], { name: info.name })}>
          Upload version
        </a>
      ) : null}
      <ActionButton needs="admin" onClick={() => rollBack()} isOff={(info.activeVersion ?? 0) < 2}>
        Roll back
      </ActionButton>
      <ActionButton needs="admin" tone="danger" onClick={remove}>
        Delete
      </ActionButton>
    </>
  );
}
