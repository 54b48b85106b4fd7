import { printable, type Style } from '../render.ts';

/** Gives text a colour, or leaves it as it is. */
export type Paint = (style: Style, text: string) => string;

/** A column of a table. */
export interface Column<Row> {
  readonly title: string;
  readonly text: (row: Row) => string;
  /** To the right; names are to the left. */
  readonly isNumber?: boolean;
  /** Gives way when the screen is narrow. */
  readonly isFlexible?: boolean;
  /** Left out where the screen is too narrow for all. */
  readonly isOptional?: boolean;
  readonly style?: (row: Row) => Style | null;
}

/** How wide and how long a table may be. */
export interface TableLook {
  readonly columns: number;
  readonly most: number;
  readonly style: Paint;
}

/** A heading and rows; what does not fit is counted in the last line. */
export function tableLines<Row>(
  all: readonly Column<Row>[],
  rows: readonly Row[],
  { columns: width, most, style }: TableLook,
): readonly string[] {
  const isCut = rows.length > most;
  const shown = isCut ? rows.slice(0, Math.max(1, most - 1)) : rows;
  const columns = fitting(all, shown, width);
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
    return cells
      .map((cell, at) => styled(cell, columns[at]?.style?.(row) ?? null, style))
      .join('  ')
      .trimEnd();
  });
  const left = rows.length - shown.length;
  const more = left > 0 ? [style('faint', cut(`… ${left} more`, width))] : [];
  return [style('title', heading), ...lines, ...more];
}

function styled(cell: string, wanted: Style | null, style: Paint): string {
  return wanted === null ? cell : style(wanted, cell);
}

const LEAST_FLEXIBLE = 12;

/** Without optional columns, the last ones first, until the others fit. */
function fitting<Row>(all: readonly Column<Row>[], rows: readonly Row[], width: number): readonly Column<Row>[] {
  const kept = [...all];
  for (;;) {
    const texts = rows.map((row) => kept.map(({ text }) => printable(text(row))));
    const widths = fitted(kept, texts, width);
    const optional = kept.findLastIndex(({ isOptional = false }) => isOptional);
    if (optional < 0 || totalOf(widths) <= width) return kept;
    kept.splice(optional, 1);
  }
}

function totalOf(widths: readonly number[]): number {
  return widths.reduce((sum, each) => sum + each + 2, -2);
}

function fitted<Row>(
  columns: readonly Column<Row>[],
  texts: readonly (readonly string[])[],
  width: number,
): readonly number[] {
  const wanted = columns.map(({ title }, at) => Math.max(title.length, ...texts.map((row) => row[at]?.length ?? 0)));
  const tooWide = totalOf(wanted) - width;
  return columns.map(({ isFlexible = false }, at) => {
    const own = wanted[at] ?? 0;
    return isFlexible && tooWide > 0 ? Math.max(Math.min(own, LEAST_FLEXIBLE), own - tooWide) : own;
  });
}

/** What fits into a width; an ellipsis stands for the rest. */
export function cut(text: string, width: number): string {
  return text.length > width ? `${text.slice(0, Math.max(0, width - 1))}…` : text;
}
