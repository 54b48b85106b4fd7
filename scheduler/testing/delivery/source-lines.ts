import type { Artifact } from '#functions';

interface SourceMap {
  readonly sources: readonly (string | null)[];
  readonly sourcesContent?: readonly (string | null)[];
}

const POSITION = /([^\s()]+):(\d+):(\d+)/;

/** Shows places of an author's source: `file:line:column` becomes the line itself with what stands around it. */
export type ShowSource = (text: string) => string;

/** @param sourceName what the source is called where it has no map. */
export function createShowSource(artifact: Artifact, sourceName: string): ShowSource {
  const files = new Map<string, readonly string[]>();
  for (const [name, content] of contentsOf(artifact, sourceName)) files.set(name, content.split('\n'));
  return (text) => {
    const [, file = '', line = '0', column = '1'] = POSITION.exec(text) ?? [];
    const lines = files.get(file);
    return lines === undefined ? '' : excerpt(lines, Number(line), Number(column));
  };
}

function contentsOf(artifact: Artifact, sourceName: string): readonly (readonly [string, string])[] {
  if (artifact.sourceMap === null) return [[sourceName, artifact.source]];
  const { sources, sourcesContent = [] } = JSON.parse(artifact.sourceMap) as SourceMap;
  return sources.map((name, at) => [name ?? sourceName, sourcesContent[at] ?? artifact.source]);
}

function excerpt(lines: readonly string[], line: number, column: number): string {
  const first = Math.max(1, line - 1);
  const last = Math.min(lines.length, line + 1);
  const width = `${last}`.length;
  const shown: string[] = [];
  for (let number = first; number <= last; number += 1) {
    const mark = number === line ? '>' : ' ';
    shown.push(`  ${mark} ${`${number}`.padStart(width)} | ${lines[number - 1] ?? ''}`);
    if (number === line) shown.push(`    ${' '.repeat(width)} | ${' '.repeat(Math.max(0, column - 1))}^`);
  }
  return shown.join('\n');
}

/** `file:line:column` out of a line of a stack; '' when there is none. */
export function positionOf(frame: string): string {
  return POSITION.exec(frame)?.[0] ?? '';
}
