import type { JSX } from 'preact';
import { url } from '../../api/client.ts';
import type { FunctionInfo, Source, Version } from '../../api/types.ts';
import { Loading, ProblemNote } from '../../parts/basics.tsx';
import { Code } from '../../parts/code.tsx';
import { useApp } from '../../state/app.ts';
import { placeHref } from '../../state/router.ts';
import { useFetched } from '../../state/use-list.ts';
import { VersionChoice } from './version-choice.tsx';

export interface SourceViewProps {
  readonly info: FunctionInfo;
  readonly versions: readonly Version[];
  readonly query: Readonly<Record<string, string>>;
}

/** The source of a version, file by file, as its author wrote it. */
export function SourceView({ info, versions, query }: SourceViewProps): JSX.Element {
  const { router } = useApp();
  const version = Number(query.version ?? info.activeVersion ?? info.latestVersion);
  const { data, problem } = useFetched<Source>(url`/v1/functions/${info.name}/versions/${version}/source`);
  const file = data?.files.find(({ path }) => path === query.file) ?? data?.files[0];
  const hrefOf = (next: Readonly<Record<string, unknown>>): string =>
    placeHref(['functions', info.name, 'source'], next);
  return (
    <>
      <div class="toolbar">
        <VersionChoice
          label="Version"
          versions={versions}
          value={version}
          onChoose={(chosen) => router.go(hrefOf({ version: chosen }))}
        />
        {data === null || data.files.length < 2 ? null : (
          <label class="field field-inline">
            <span>File</span>
            <select
              class="input"
              value={file?.path}
              onChange={(event) => router.go(hrefOf({ version, file: event.currentTarget.value }))}
            >
              {data.files.map(({ path }) => (
                <option key={path}>{path}</option>
              ))}
            </select>
          </label>
        )}
      </div>
      {problem === null ? null : <ProblemNote problem={problem} />}
      {file === undefined ? (
        <Loading />
      ) : (
        <Code
          label={`Source of ${info.name}, ${file.path}`}
          source={file.source}
          line={query.line === undefined ? undefined : Number(query.line)}
        />
      )}
    </>
  );
}
