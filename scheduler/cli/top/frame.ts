import { printable, type Style } from '../render.ts';
import { timeOf } from '../time.ts';
import { amount, memory, span } from './amounts.ts';
import type { NodeFigures, RegistrationFigures, TopFigures } from './figures.ts';
import { type Sort, sorted } from './sorting.ts';

/** How a person looks at the figures. */
export interface View {
  readonly sort: Sort;
  readonly isReversed: boolean;
  readonly isPaused: boolean;
  /** Registrations above the first one that is shown. */
  readonly scroll: number;
  /** Why the figures are old; null when they are not. */
  readonly trouble: string | null;
}

export interface FrameOptions {
  readonly figures: TopFigures;
  readonly view: View;
  readonly address: string;
  readonly intervalText: string;
  readonly columns: number;
  /** Lines that fit; without, there is room for everything, and no line of keys. */
  readonly rows?: number;
  readonly style: (style: Style, text: string) => string;
}

/** Sandboxes and nodes take at most so many lines each on a screen. */
const MOST_SIDE_ROWS = 6;
const KEYS = 'q quit  s sort  r reverse  p pause  ↑↓ scroll';

/** The lines of one picture, none longer than the screen is wide, and none too many for it. */
export function frameLines(options: FrameOptions): readonly string[] {
  const { figures, view, columns, rows = Number.POSITIVE_INFINITY, style } = options;
  const most = rows === Number.POSITIVE_INFINITY ? rows : MOST_SIDE_ROWS;
  const nodes = tableLines(NODE_COLUMNS, figures.nodes, { columns, style, most });
  const sandboxRows = figures.nodes.flatMap((node) => node.sandboxes.map((sandbox) => ({ ...sandbox, node })));
  const sandboxes = tableLines(SANDBOX_COLUMNS, sandboxRows, { columns, style, most });
  const head = headLines(options);
  const taken = head.length + nodes.length + sandboxes.length + 4;
  const room = Math.max(1, rows - taken - 1);
  const order = sorted(figures.registrations, view.sort, view.isReversed);
  const first = Math.min(view.scroll, Math.max(0, order.length - room));
  const registrations = tableLines(REGISTRATION_COLUMNS, order.slice(first), { columns, style, most: room });
  const keys = rows === Number.POSITIVE_INFINITY ? [] : [style('faint', cut(KEYS, columns))];
  const lines = [...head, '', ...nodes, '', ...registrations, '', ...sandboxes];
  return [...lines.slice(0, rows - keys.length), ...keys];
}

function headLines({ figures, view, address, intervalText, columns, style }: FrameOptions): readonly string[] {
  const { fleet, nodes, registrations, functions, executionsRunning, deadLetters } = figures;
  const order = `by ${view.sort}${view.isReversed ? ' (reversed)' : ''}`;
  const title = `regears top  ${address}  ${timeOf(figures.atMs)}  every ${intervalText}  ${order}`;
  const state = view.trouble ?? (view.isPaused ? 'paused' : '');
  const processes = nodes.reduce((sum, { sandboxes }) => sum + sandboxes.length, 0);
  const work =
    fleet === null
      ? 'the first figures come within a second'
      : `entries ${amount(fleet.entries)}/s  executions ${amount(fleet.executions)}/s  failed ${amount(fleet.errors)}/s  ` +
        `p50 ${span(fleet.p50Ms)}  p99 ${span(fleet.p99Ms)}  unread ${amount(fleet.unread)}  pending ${amount(fleet.pending)}  ` +
        `lag ${span(fleet.lagAgeMs)}`;
  const stock =
    `nodes ${nodes.length}  functions ${functions}  registrations ${registrations.length}  batch runs ${executionsRunning}  ` +
    `dead letters ${amount(deadLetters)}  sandboxes ${processes} with ${memory(fleet?.sandboxBytes ?? 0)}`;
  const isBad = (fleet?.errors ?? 0) > 0;
  return [
    style('title', cut(title, columns)),
    ...(state === '' ? [] : [style('warn', cut(printable(state), columns))]),
    isBad ? style('bad', cut(work, columns)) : cut(work, columns),
    cut(stock, columns),
  ];
}

interface Column<Row> {
  readonly title: string;
  readonly text: (row: Row) => string;
  /** To the right; names are to the left. */
  readonly isNumber?: boolean;
  /** Gives way when the screen is narrow. */
  readonly isFlexible?: boolean;
  readonly style?: (row: Row) => Style | null;
}

const REGISTRATION_COLUMNS: readonly Column<RegistrationFigures>[] = [
  { title: 'REGISTRATION', text: ({ id }) => id, isFlexible: true },
  { title: 'STATE', text: ({ state, health }) => (health === 'failing' ? 'failing' : state), style: stateStyle },
  { title: 'ENTRIES/S', text: ({ entries }) => amount(entries), isNumber: true },
  { title: 'RUNS/S', text: ({ executions }) => amount(executions), isNumber: true },
  { title: 'FAILED/S', text: ({ errors }) => amount(errors), isNumber: true, style: (row) => (row.errors > 0 ? 'bad' : null) },
  { title: 'UNREAD', text: ({ unread }) => amount(unread), isNumber: true },
  { title: 'PENDING', text: ({ pending }) => amount(pending), isNumber: true },
  { title: 'LAG', text: ({ lagAgeMs }) => span(lagAgeMs), isNumber: true },
  { title: 'P50', text: ({ p50Ms }) => span(p50Ms), isNumber: true },
  { title: 'P99', text: ({ p99Ms }) => span(p99Ms), isNumber: true },
];

const NODE_COLUMNS: readonly Column<NodeFigures>[] = [
  { title: 'NODE', text: ({ nodeId, self }) => `${nodeId}${self ? ' *' : ''}`, isFlexible: true },
  { title: 'HOST', text: ({ host }) => host },
  { title: 'PID', text: ({ pid }) => String(pid), isNumber: true },
  { title: 'STATE', text: nodeState, style: (node) => (nodeState(node) === 'ready' ? 'good' : 'warn') },
  { title: 'MEMORY', text: ({ residentBytes }) => memory(residentBytes), isNumber: true },
  { title: 'LOOP P99', text: ({ loopDelayMs }) => span(loopDelayMs), isNumber: true },
  { title: 'SANDBOXES', text: ({ sandboxes }) => String(sandboxes.length), isNumber: true },
];

type SandboxRow = NodeFigures['sandboxes'][number] & { readonly node: NodeFigures };

const SANDBOX_COLUMNS: readonly Column<SandboxRow>[] = [
  { title: 'SANDBOX', text: ({ pid }) => String(pid), isNumber: true },
  { title: 'NODE', text: ({ node }) => `${node.host}:${node.pid}` },
  { title: 'ROLE', text: ({ role }) => role },
  { title: 'MEMORY', text: ({ residentBytes }) => memory(residentBytes), isNumber: true },
  {
    title: 'FUNCTIONS',
    text: ({ isolates }) =>
      isolates.map((each) => `${each.function}@${each.version} ${memory(each.heapBytes)}`).join(', ') || '-',
    isFlexible: true,
  },
];

function nodeState({ ready, behind }: NodeFigures): string {
  if (!ready) return 'not ready';
  return behind ? 'behind' : 'ready';
}

function stateStyle({ state, health }: RegistrationFigures): Style | null {
  if (health === 'failing') return 'bad';
  return state === 'running' ? 'good' : 'warn';
}

interface TableLook {
  readonly columns: number;
  readonly most: number;
  readonly style: FrameOptions['style'];
}

/** A heading and rows; what does not fit is counted in the last line. */
function tableLines<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  { columns: width, most, style }: TableLook,
): readonly string[] {
  const isCut = rows.length > most;
  const shown = isCut ? rows.slice(0, Math.max(1, most - 1)) : rows;
  const texts = shown.map((row) => columns.map(({ text }) => printable(text(row))));
  const widths = fitted(columns, texts, width);
  const pad = (text: string, at: number): string => {
    const size = widths[at] ?? 0;
    return columns[at]?.isNumber === true ? cut(text, size).padStart(size) : cut(text, size).padEnd(size);
  };
  const heading = cut(columns.map(({ title }, at) => pad(title, at)).join('  '), width);
  const lines = shown.map((row, line) => {
    const cells = columns.map((_, at) => pad(texts[line]?.[at] ?? '', at));
    const isWhole = cells.join('  ').trimEnd().length <= width;
    if (!isWhole) return cut(cells.join('  '), width);
    return cells.map((cell, at) => styled(cell, columns[at]?.style?.(row) ?? null, style)).join('  ').trimEnd();
  });
  const left = rows.length - shown.length;
  const more = left > 0 ? [style('faint', cut(`… ${left} more`, width))] : [];
  return [style('title', heading), ...lines, ...more];
}

function styled(cell: string, wanted: Style | null, style: FrameOptions['style']): string {
  return wanted === null ? cell : style(wanted, cell);
}

const LEAST_FLEXIBLE = 12;

function fitted<Row>(
  columns: readonly Column<Row>[],
  texts: readonly (readonly string[])[],
  width: number,
): readonly number[] {
  const wanted = columns.map(({ title }, at) => Math.max(title.length, ...texts.map((row) => row[at]?.length ?? 0)));
  const tooWide = wanted.reduce((sum, each) => sum + each + 2, -2) - width;
  return columns.map(({ isFlexible = false }, at) => {
    const own = wanted[at] ?? 0;
    return isFlexible && tooWide > 0 ? Math.max(Math.min(own, LEAST_FLEXIBLE), own - tooWide) : own;
  });
}

function cut(text: string, width: number): string {
  return text.length > width ? `${text.slice(0, Math.max(0, width - 1))}…` : text;
}
