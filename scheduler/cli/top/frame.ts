import { printable } from '../render.ts';
import { timeOf } from '../time.ts';
import { amount, memory, span } from './amounts.ts';
import { NODE_COLUMNS, REGISTRATION_COLUMNS, SANDBOX_COLUMNS } from './columns.ts';
import type { TopFigures } from './figures.ts';
import { type Sort, sorted } from './sorting.ts';
import { cut, type Paint, tableLines } from './table.ts';

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
  readonly style: Paint;
}

/** Nodes and sandboxes take at most so many lines each on a screen. */
const MOST_SIDE_ROWS = 6;
/** Screens of fewer lines show registrations only. */
const LEAST_ROWS_FOR_NODES = 16;
const LEAST_ROWS_FOR_SANDBOXES = 20;
const KEYS = 'q quit  s sort  r reverse  p pause  ↑↓ scroll';

/** The lines of one picture, none longer than the screen is wide, and none too many for it. */
export function frameLines(options: FrameOptions): readonly string[] {
  const { figures, view, columns, rows = Number.POSITIVE_INFINITY, style } = options;
  const isWhole = rows === Number.POSITIVE_INFINITY;
  const side = { columns, style, most: isWhole ? rows : MOST_SIDE_ROWS };
  const sandboxRows = figures.nodes.flatMap((node) => node.sandboxes.map((sandbox) => ({ ...sandbox, node })));
  const nodes = rows < LEAST_ROWS_FOR_NODES ? [] : ['', ...tableLines(NODE_COLUMNS, figures.nodes, side)];
  const sandboxes = rows < LEAST_ROWS_FOR_SANDBOXES ? [] : ['', ...tableLines(SANDBOX_COLUMNS, sandboxRows, side)];
  const head = headLines(options);
  const keys = isWhole ? [] : [style('faint', cut(KEYS, columns))];
  const room = Math.max(1, rows - head.length - nodes.length - sandboxes.length - keys.length - 2);
  const order = sorted(figures.registrations, view.sort, view.isReversed);
  const first = Math.min(view.scroll, Math.max(0, order.length - room));
  const registrations = tableLines(REGISTRATION_COLUMNS, order.slice(first), { columns, style, most: room });
  const lines = [...head, ...nodes, '', ...registrations, ...sandboxes];
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
    ...wrapped(title, columns).map((line) => style('title', line)),
    ...(state === '' ? [] : [style('warn', cut(printable(state), columns))]),
    ...wrapped(work, columns).map((line) => (isBad ? style('bad', line) : line)),
    ...wrapped(stock, columns),
  ];
}

/** Broken between figures, which two spaces part. */
function wrapped(text: string, width: number): readonly string[] {
  const lines: string[] = [];
  for (const part of text.split('  ')) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 2 + part.length <= width) lines[lines.length - 1] = `${last}  ${part}`;
    else lines.push(cut(part, width));
  }
  return lines;
}
