import { styleText } from 'node:util';

/** Where a command's output goes. Text for people, or with `--json` one JSON document (or NDJSON) on standard output. */
export interface Output {
  readonly json: boolean;
  /** True when a person watches standard output: bars and redrawing make sense. */
  readonly live: boolean;
  /** Width of standard output, characters; without end where it is no terminal. */
  readonly columns: number;
  /** A line for people on standard output; nothing with `--json`. */
  line(text?: string): void;
  /** A line for people on standard error, for progress and remarks; nothing with `--json`. */
  note(text: string): void;
  /** The answer of a command: `value` with `--json`, else what `show` writes. */
  answer(value: unknown, show: () => void): void;
  /** One of many answers: one line of NDJSON with `--json`, else what `show` writes. */
  record(value: unknown, show: () => void): void;
  /** A table for people; numbers are aligned to the right. */
  table(columns: readonly string[], rows: readonly (readonly Cell[])[]): void;
  /** An error, to standard error, as text or JSON. */
  error(code: string, message: string): void;
  style(style: Style, text: string): string;
}

export type Cell = string | number | null;
export type Style = 'title' | 'good' | 'bad' | 'warn' | 'faint' | 'name';

/** A stream that takes text; `isTTY` decides over colours and redrawing. */
export interface TextStream {
  readonly isTTY?: boolean;
  /** Width of the terminal. */
  readonly columns?: number;
  write(text: string): unknown;
}

const STYLES = {
  title: 'bold',
  good: 'green',
  bad: 'red',
  warn: 'yellow',
  faint: 'dim',
  name: 'cyan',
} as const;

export interface OutputOptions {
  readonly json: boolean;
  readonly stdout: TextStream;
  readonly stderr: TextStream;
}

/** Colours appear on terminals only, and not when NO_COLOR is set (`styleText` looks at both). */
export function createOutput({ json, stdout, stderr }: OutputOptions): Output {
  const styleFor = (stream: TextStream) => (style: Style, text: string) =>
    styleText(STYLES[style], text, { stream: stream as NodeJS.WritableStream });
  const style = styleFor(stdout);
  const people = (stream: TextStream, text: string): void => {
    if (!json) stream.write(`${text}\n`);
  };
  const either = (value: unknown, show: () => void): void => {
    if (json) stdout.write(`${JSON.stringify(value)}\n`);
    else show();
  };
  return {
    json,
    live: !json && stdout.isTTY === true,
    columns: widthOf(stdout),
    line: (text = '') => people(stdout, text),
    note: (text) => people(stderr, text),
    answer: either,
    record: either,
    table: (columns, rows) => {
      for (const line of layOut({ columns, rows, width: widthOf(stdout) }, (text) => style('title', text)))
        people(stdout, line);
    },
    error: (code, message) => {
      if (json) stderr.write(`${JSON.stringify({ error: { code, message } })}\n`);
      else stderr.write(`${styleFor(stderr)('bad', 'error')} ${code}: ${message}\n`);
    },
    style,
  };
}

function widthOf({ isTTY, columns }: TextStream): number {
  return isTTY === true && columns ? columns : Number.POSITIVE_INFINITY;
}

interface Table {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly Cell[])[];
  readonly width: number;
}

/** Columns that the last cell of a row keeps before a table gives way to a list. */
const LEAST_LAST_COLUMN = 12;

/** A table that is too wide loses the end of its last column; where that is not enough, each row becomes a list of its cells. */
function layOut({ columns, rows, width }: Table, heading: (text: string) => string): string[] {
  const texts = rows.map((row) => row.map(cellText));
  const last = columns.length - 1;
  const widths = columns.map((column, at) => Math.max(column.length, ...texts.map((row) => row[at]?.length ?? 0)));
  const before = widths.slice(0, last).reduce((sum, each) => sum + each + 2, 0);
  const lastWidth = Math.min(widths[last] ?? 0, width - before);
  if (lastWidth < Math.min(widths[last] ?? 0, LEAST_LAST_COLUMN)) return asList(columns, texts, heading);
  const numeric = columns.map((_, at) => rows.length > 0 && rows.every((row) => typeof row[at] === 'number'));
  const align = (text: string, at: number): string => {
    if (numeric[at]) return text.padStart(widths[at] ?? 0);
    if (at < last) return text.padEnd(widths[at] ?? 0);
    return text.length > lastWidth ? `${text.slice(0, lastWidth - 1)}…` : text;
  };
  return [heading(columns.map(align).join('  ')), ...texts.map((row) => row.map(align).join('  ').trimEnd())];
}

function asList(
  columns: readonly string[],
  texts: readonly (readonly string[])[],
  heading: (text: string) => string,
): string[] {
  const labelWidth = Math.max(...columns.map((column) => column.length));
  const lines = texts.map((row) =>
    row.map((text, at) => `${heading((columns[at] ?? '').padEnd(labelWidth))}  ${text}`),
  );
  return lines.flatMap((row, at) => (at === 0 ? row : ['', ...row]));
}

/** One line of printable text: what a table cell may hold. */
function cellText(cell: Cell): string {
  if (cell === null) return '-';
  return printable(String(cell));
}

/** Control characters made visible, so that data from outside cannot steer the terminal. */
export function printable(text: string): string {
  return text.replace(/\p{Cc}/gu, (character) => JSON.stringify(character).slice(1, -1));
}
