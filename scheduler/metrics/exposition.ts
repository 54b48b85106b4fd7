import type { MetricFamily } from './catalogue.ts';

export type LabelValues = Readonly<Record<string, string>>;

/** One number of a family. */
export interface MetricSample {
  readonly labels: LabelValues;
  readonly value: number;
}

/** A histogram of one set of labels. */
export interface HistogramSample {
  readonly labels: LabelValues;
  /** Upper bounds and how many lie at or below each, ascending; without the last, which is `count`. */
  readonly buckets: readonly (readonly [bound: number, count: number])[];
  readonly count: number;
  readonly sum: number;
}

/** A family with its numbers. */
export interface Measured {
  readonly family: MetricFamily;
  readonly samples: readonly (MetricSample | HistogramSample)[];
}

/** `text`: Prometheus text format 0.0.4. `openmetrics`: OpenMetrics 1.0.0. */
export type ExpositionFormat = 'text' | 'openmetrics';

export const CONTENT_TYPES: Readonly<Record<ExpositionFormat, string>> = {
  text: 'text/plain; version=0.0.4; charset=utf-8',
  openmetrics: 'application/openmetrics-text; version=1.0.0; charset=utf-8',
};

/** What a scraper asks for with `Accept`; who does not say gets the older format. */
export function formatFor(accept: string | undefined): ExpositionFormat {
  return accept?.includes('application/openmetrics-text') === true ? 'openmetrics' : 'text';
}

/** Families without numbers are left out. */
export function expose(measured: readonly Measured[], format: ExpositionFormat): string {
  const blocks = measured.filter(({ samples }) => samples.length > 0).map((one) => block(one, format));
  return `${blocks.join('')}${format === 'openmetrics' ? '# EOF\n' : ''}`;
}

function block({ family, samples }: Measured, format: ExpositionFormat): string {
  const { type, unit, help } = family;
  const own = type === 'counter' ? `${family.name}_total` : family.name;
  // OpenMetrics names a counter without what its samples have at their end.
  const name = format === 'openmetrics' ? family.name : own;
  const head = [`# HELP ${name} ${escapeHelp(help)}`, `# TYPE ${name} ${type}`];
  if (format === 'openmetrics' && unit !== undefined) head.push(`# UNIT ${name} ${unit}`);
  const lines = samples.flatMap((sample) =>
    'buckets' in sample ? histogramLines(own, sample) : [line(own, sample.labels, sample.value)],
  );
  return `${[...head, ...lines].join('\n')}\n`;
}

function histogramLines(name: string, { labels, buckets, count, sum }: HistogramSample): readonly string[] {
  const bounded = buckets.map(([bound, below]) => line(`${name}_bucket`, { ...labels, le: String(bound) }, below));
  return [
    ...bounded,
    line(`${name}_bucket`, { ...labels, le: '+Inf' }, count),
    line(`${name}_sum`, labels, sum),
    line(`${name}_count`, labels, count),
  ];
}

function line(name: string, labels: LabelValues, value: number): string {
  const pairs = Object.entries(labels).map(([label, text]) => `${label}="${escapeLabel(text)}"`);
  return `${name}${pairs.length === 0 ? '' : `{${pairs.join(',')}}`} ${value}`;
}

function escapeLabel(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('"', '\\"');
}

function escapeHelp(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
}
