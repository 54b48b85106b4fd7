import type { MetricFamily } from './catalogue.ts';
import type { LabelValues, Measured } from './exposition.ts';

/** A family of one number. */
export function single(family: MetricFamily, value: number): Measured {
  return { family, samples: [{ labels: {}, value }] };
}

export function labelled(family: MetricFamily, values: readonly (readonly [LabelValues, number])[]): Measured {
  return { family, samples: values.map(([labels, value]) => ({ labels, value })) };
}

/** Counts by the values of one label. */
export function counts(family: MetricFamily, label: string, values: ReadonlyMap<string, number>): Measured {
  return labelled(
    family,
    [...values].map(([value, count]) => [{ [label]: value }, count]),
  );
}

export function truth(is: boolean): number {
  return is ? 1 : 0;
}
