import { useSignal } from '@preact/signals';
import type { ComponentChildren, JSX } from 'preact';
import { count } from '../text/format.ts';
import { Empty } from './basics.tsx';

export interface Column<T> {
  readonly id: string;
  readonly label: string;
  readonly cell: (row: T) => ComponentChildren;
  /** What the column is sorted by; without it the heading does nothing. */
  readonly sort?: (row: T) => string | number;
  readonly isNumber?: boolean;
}

export interface TableProps<T> {
  readonly label: string;
  readonly rows: readonly T[];
  readonly columns: readonly Column<T>[];
  readonly rowKey: (row: T) => string;
  /** The text that the filter looks in; without it there is no filter. */
  readonly search?: (row: T) => string;
  readonly tone?: (row: T) => 'bad' | 'warn' | 'calm' | undefined;
  readonly empty: ComponentChildren;
  /** Further controls beside the filter. */
  readonly tools?: ComponentChildren;
  /** How many there are, where `rows` are not all of them. */
  readonly total?: number;
}

const PAGE_ROWS = 50;

interface Sorting {
  readonly column: string;
  readonly isDown: boolean;
}

/**
 * Rows of a list: filter, sorting by heading, pages of fifty. On a narrow screen each row is a block with the headings
 * beside the values.
 */
export function Table<T>(props: TableProps<T>): JSX.Element {
  const { label, rows, columns, search, empty, tools, total } = props;
  const filter = useSignal('');
  const sorting = useSignal<Sorting | null>(null);
  const page = useSignal(0);
  const matching = matchingRows(rows, search, filter.value);
  const sorted = sortedRows(matching, columns, sorting.value);
  const pages = Math.max(1, Math.ceil(sorted.length / PAGE_ROWS));
  const at = Math.min(page.value, pages - 1);
  const shown = sorted.slice(at * PAGE_ROWS, (at + 1) * PAGE_ROWS);
  return (
    <div class="table-box">
      {search === undefined && tools === undefined ? null : (
        <div class="toolbar">
          {search === undefined ? null : (
            <Filter
              label={label}
              value={filter.value}
              onInput={(text) => {
                filter.value = text;
                page.value = 0;
              }}
            />
          )}
          {tools}
        </div>
      )}
      {shown.length === 0 ? (
        <Empty>{rows.length === 0 ? empty : `Nothing matches “${filter.value}”.`}</Empty>
      ) : (
        <Grid
          {...props}
          rows={shown}
          sorting={sorting.value}
          onSort={(next) => {
            sorting.value = next;
          }}
        />
      )}
      <Pager
        label={label}
        at={at}
        pages={pages}
        rows={sorted.length}
        total={total ?? rows.length}
        onGo={(next) => {
          page.value = next;
        }}
      />
    </div>
  );
}

function matchingRows<T>(rows: readonly T[], search: ((row: T) => string) | undefined, filter: string): readonly T[] {
  const words = filter.toLowerCase().split(/\s+/).filter(Boolean);
  if (search === undefined || words.length === 0) return rows;
  return rows.filter((row) => {
    const text = search(row).toLowerCase();
    return words.every((word) => text.includes(word));
  });
}

function sortedRows<T>(rows: readonly T[], columns: readonly Column<T>[], sorting: Sorting | null): readonly T[] {
  const key = columns.find(({ id }) => id === sorting?.column)?.sort;
  if (key === undefined) return rows;
  const direction = sorting?.isDown === true ? -1 : 1;
  return rows.toSorted((a, b) => direction * compare(key(a), key(b)));
}

function compare(a: string | number, b: string | number): number {
  return typeof a === 'number' && typeof b === 'number' ? a - b : String(a).localeCompare(String(b));
}

interface FilterProps {
  readonly label: string;
  readonly value: string;
  readonly onInput: (text: string) => void;
}

function Filter({ label, value, onInput }: FilterProps): JSX.Element {
  return (
    <input
      type="search"
      class="input search"
      placeholder="Filter"
      aria-label={`Filter ${label}`}
      data-shortcut="search"
      value={value}
      onInput={(event) => onInput(event.currentTarget.value)}
    />
  );
}

interface GridProps<T> extends TableProps<T> {
  readonly sorting: Sorting | null;
  readonly onSort: (sorting: Sorting) => void;
}

/** Roles are written out, since the narrow layout takes them from the elements. */
const ROLES = {
  table: { role: 'table' },
  group: { role: 'rowgroup' },
  row: { role: 'row' },
  cell: { role: 'cell' },
  heading: { role: 'columnheader' },
} as const;

function Grid<T>({ label, rows, columns, rowKey, tone, sorting, onSort }: GridProps<T>): JSX.Element {
  return (
    <table {...ROLES.table} class="table" aria-label={label}>
      <thead {...ROLES.group}>
        <tr {...ROLES.row}>
          {columns.map((column) => (
            <Heading key={column.id} column={column} sorting={sorting} onSort={onSort} />
          ))}
        </tr>
      </thead>
      <tbody {...ROLES.group}>
        {rows.map((row) => (
          <tr {...ROLES.row} key={rowKey(row)} class={tone?.(row) === undefined ? undefined : `row-${tone(row)}`}>
            {columns.map(({ id, label: heading, cell, isNumber }) => (
              <td {...ROLES.cell} key={id} data-label={heading} class={isNumber === true ? 'number' : undefined}>
                <div class="cell">{cell(row)}</div>
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

interface HeadingProps<T> {
  readonly column: Column<T>;
  readonly sorting: Sorting | null;
  readonly onSort: (sorting: Sorting) => void;
}

function Heading<T>({ column, sorting, onSort }: HeadingProps<T>): JSX.Element {
  const { id, label, sort, isNumber } = column;
  const isSorted = sorting?.column === id;
  const direction = sorting?.isDown === true ? 'descending' : 'ascending';
  const arrow = direction === 'descending' ? ' ↓' : ' ↑';
  return (
    <th
      {...ROLES.heading}
      scope="col"
      class={isNumber === true ? 'number' : undefined}
      aria-sort={isSorted ? direction : undefined}
    >
      {sort === undefined ? (
        label
      ) : (
        <button
          type="button"
          class="sort"
          onClick={() => onSort({ column: id, isDown: isSorted ? sorting?.isDown !== true : isNumber === true })}
        >
          {label}
          <span aria-hidden="true">{isSorted ? arrow : ''}</span>
        </button>
      )}
    </th>
  );
}

interface PagerProps {
  readonly label: string;
  readonly at: number;
  readonly pages: number;
  readonly rows: number;
  readonly total: number;
  readonly onGo: (page: number) => void;
}

function Pager({ label, at, pages, rows, total, onGo }: PagerProps): JSX.Element | null {
  if (total <= PAGE_ROWS / 5) return null;
  const from = rows === 0 ? 0 : at * PAGE_ROWS + 1;
  const to = Math.min(rows, (at + 1) * PAGE_ROWS);
  return (
    <nav class="pager" aria-label={`Pages of ${label}`}>
      <span class="soft">
        {count(from)}–{count(to)} of {count(rows)}
        {total > rows ? ` (${count(total)} in all)` : ''}
      </span>
      {pages === 1 ? null : (
        <span class="tools">
          <button type="button" class="button" disabled={at === 0} onClick={() => onGo(at - 1)}>
            Previous
          </button>
          <button type="button" class="button" disabled={at >= pages - 1} onClick={() => onGo(at + 1)}>
            Next
          </button>
        </span>
      )}
    </nav>
  );
}
