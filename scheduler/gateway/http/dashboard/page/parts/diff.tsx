import type { JSX } from 'preact';
import type { DiffFile, DiffHunk, DiffLine } from '../api/types.ts';
import { diffRows } from '../text/diff-rows.ts';
import { tokenLines } from '../text/tokens.ts';
import { Badge, Empty } from './basics.tsx';
import { Tokens } from './code.tsx';

export interface DiffProps {
  readonly files: readonly DiffFile[];
  readonly from: string;
  readonly to: string;
}

const TONES = { same: 'calm', changed: 'accent', added: 'ok', removed: 'bad' } as const;

/** Two versions side by side. */
export function Diff({ files, from, to }: DiffProps): JSX.Element {
  const changed = files.filter(({ status }) => status !== 'same');
  if (changed.length === 0) return <Empty>The two versions have the same source.</Empty>;
  return (
    <>
      {changed.map((file) => (
        <section key={file.path} class="diff" aria-label={`Changes of ${file.path}`}>
          <h2>
            <code>{file.path}</code> <Badge tone={TONES[file.status]}>{file.status}</Badge>
          </h2>
          {file.hunks.map((hunk) => (
            <Hunk key={`${hunk.fromLine}:${hunk.toLine}`} hunk={hunk} from={from} to={to} />
          ))}
        </section>
      ))}
    </>
  );
}

interface HunkProps {
  readonly hunk: DiffHunk;
  readonly from: string;
  readonly to: string;
}

function Hunk({ hunk, from, to }: HunkProps): JSX.Element {
  return (
    <table class="diff-table">
      <caption>
        Lines {hunk.fromLine}–{hunk.fromLine + hunk.fromCount - 1} and {hunk.toLine}–{hunk.toLine + hunk.toCount - 1}
      </caption>
      <colgroup>
        <col class="diff-number-column" />
        <col />
        <col class="diff-number-column" />
        <col />
      </colgroup>
      <thead>
        <tr>
          <th scope="col" colSpan={2}>
            {from}
          </th>
          <th scope="col" colSpan={2}>
            {to}
          </th>
        </tr>
      </thead>
      <tbody>
        {diffRows(hunk).map(({ from: left, to: right }) => (
          <tr key={`${left?.fromLine ?? ''}:${right?.toLine ?? ''}`}>
            <Side line={left} number={left?.fromLine ?? null} side="from" />
            <Side line={right} number={right?.toLine ?? null} side="to" />
          </tr>
        ))}
      </tbody>
    </table>
  );
}

interface SideProps {
  readonly line: DiffLine | null;
  readonly number: number | null;
  readonly side: 'from' | 'to';
}

const SIGNS = { same: ' ', added: '+', removed: '−' } as const;

function Side({ line, number, side }: SideProps): JSX.Element {
  const kind = line?.kind ?? 'none';
  return (
    <>
      <td class={`diff-number diff-${kind} diff-${side}`}>{number}</td>
      <td class={`diff-text diff-${kind} diff-${side}`}>
        {line === null ? null : (
          <>
            <span class="diff-sign">{SIGNS[line.kind]}</span>
            <Tokens tokens={tokenLines(line.text)[0] ?? []} />
          </>
        )}
      </td>
    </>
  );
}
