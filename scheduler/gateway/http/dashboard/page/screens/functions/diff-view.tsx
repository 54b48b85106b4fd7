import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { url } from '../../api/client.ts';
import type { Diff as Differences } from '../../api/types.ts';
import { Empty, Loading, ProblemNote } from '../../parts/basics.tsx';
import { Diff } from '../../parts/diff.tsx';
import { useApp } from '../../state/app.ts';
import { placeHref } from '../../state/router.ts';
import { useFetched } from '../../state/use-list.ts';
import type { SourceViewProps } from './source-view.tsx';
import { VersionChoice } from './version-choice.tsx';

/** Two versions of a function, side by side. */
export function DiffView({ info, versions, query }: SourceViewProps): JSX.Element {
  const { router } = useApp();
  const isWhole = useSignal(false);
  const to = Number(query.to ?? info.activeVersion ?? info.latestVersion);
  const before =
    versions.find(({ version }) => version < to)?.version ?? versions.find(({ version }) => version !== to)?.version;
  const from = Number(query.from ?? before ?? to);
  const path = from === to ? null : url`/v1/functions/${info.name}/diff`;
  const { data, problem } = useFetched<Differences>(path, { from, to, context: isWhole.value ? 'all' : undefined });
  const go = (next: { from: number; to: number }): void => router.go(placeHref(['functions', info.name, 'diff'], next));
  if (versions.length < 2) return <Empty>There is only one version; there is nothing to compare it with.</Empty>;
  return (
    <>
      <div class="toolbar">
        <VersionChoice label="From" versions={versions} value={from} onChoose={(chosen) => go({ from: chosen, to })} />
        <VersionChoice label="To" versions={versions} value={to} onChoose={(chosen) => go({ from, to: chosen })} />
        <label class="check">
          <input
            type="checkbox"
            checked={isWhole.value}
            onChange={(event) => {
              isWhole.value = event.currentTarget.checked;
            }}
          />
          Whole files
        </label>
      </div>
      {problem === null ? null : <ProblemNote problem={problem} />}
      {path === null ? <Empty>Choose two different versions.</Empty> : null}
      {path !== null && data === null && problem === null ? <Loading /> : null}
      {data === null ? null : <Diff files={data.files} from={`Version ${from}`} to={`Version ${to}`} />}
    </>
  );
}
