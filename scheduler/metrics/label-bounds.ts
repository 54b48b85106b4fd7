import type { LabelValues } from './exposition.ts';

const OTHER = 'other';

/**
 * Gives things labels of their own up to a number, and one label for all the others. Who has labels keeps them as long as the node
 * lives, so that a counter never goes back.
 */
export interface LabelBounds<Key> {
  of(key: Key): LabelValues;
}

/** @param most things with labels of their own. */
export function createLabelBounds<Key>(most: number, labelsOf: (key: Key) => LabelValues): LabelBounds<Key> {
  const known = new Map<Key, LabelValues>();
  let others: LabelValues | null = null;
  return {
    of(key) {
      const own = known.get(key);
      if (own !== undefined) return own;
      const labels = labelsOf(key);
      if (known.size >= most) {
        others ??= Object.fromEntries(Object.keys(labels).map((name) => [name, OTHER]));
        return others;
      }
      known.set(key, labels);
      return labels;
    },
  };
}

/** Labels of a registration; the name of its function is the begin of its id. */
export function registrationLabels(registrationId: string): LabelValues {
  return { function: registrationId.split('/', 1)[0] ?? '', registration: registrationId };
}

/** Brings values with the same labels together, in the order in which the labels first came. */
export function summed<Value>(
  values: Iterable<readonly [LabelValues, Value]>,
  add: (sum: Value, value: Value) => Value,
): readonly (readonly [LabelValues, Value])[] {
  const sums = new Map<string, readonly [LabelValues, Value]>();
  for (const [labels, value] of values) {
    const key = JSON.stringify(labels);
    const former = sums.get(key);
    sums.set(key, [labels, former === undefined ? value : add(former[1], value)]);
  }
  return [...sums.values()];
}
