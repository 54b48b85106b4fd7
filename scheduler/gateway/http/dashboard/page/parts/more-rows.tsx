import type { Signal } from '@preact/signals';
import type { JSX } from 'preact';

/** How many rows of a list without an end are asked for at first. */
export const FIRST_ROWS = 200;
/** As many as the API gives at once. */
const MOST_ROWS = 1_000;

export interface MoreRowsProps {
  readonly limit: Signal<number>;
  /** Null when there are no more. */
  readonly nextCursor: string | null;
}

/** Offers older rows, where there are any; beyond the most that the API gives at once, a search must do. */
export function MoreRows({ limit, nextCursor }: MoreRowsProps): JSX.Element | null {
  if (nextCursor === null) return null;
  if (limit.value >= MOST_ROWS) return <p class="empty">There are more; a search finds them.</p>;
  return (
    <button
      type="button"
      class="button"
      onClick={() => {
        limit.value = MOST_ROWS;
      }}
    >
      Older ones, too
    </button>
  );
}
