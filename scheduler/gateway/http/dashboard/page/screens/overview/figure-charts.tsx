import type { JSX } from 'preact';
import { useMemo } from 'preact/hooks';
import type { Sample } from '../../api/platform-types.ts';
import { Chart, type ChartProps } from '../../parts/chart.tsx';
import { memory, rate, span } from '../../text/format.ts';

/** The last five minutes as charts with one time axis. */
export function FigureCharts({ samples }: { readonly samples: readonly Sample[] }): JSX.Element {
  const charts = useMemo(() => chartsOf(samples), [samples]);
  return (
    <div class="charts">
      {charts.map((chart) => (
        <Chart key={chart.title} {...chart} />
      ))}
    </div>
  );
}

type Pick = (sample: Sample) => number | null;

/** A line of a chart: its name, its colour, its value. */
const LINES: readonly {
  readonly title: string;
  readonly least: number;
  readonly isBinary?: boolean;
  readonly format: ChartProps['format'];
  readonly lines: readonly (readonly [string, string, Pick])[];
}[] = [
  {
    title: 'Entries per second by end',
    format: rate,
    least: 1,
    lines: [
      ['done', 'chart-ok', ({ entries }) => entries.done],
      ['filtered', 'chart-calm', ({ entries }) => entries.filtered],
      ['dead', 'chart-bad', ({ entries }) => entries.dead],
      ['expired', 'chart-warn', ({ entries }) => entries.expired],
    ],
  },
  {
    title: 'Executions per second',
    format: rate,
    least: 1,
    lines: [['executions', 'chart-main', ({ executions }) => executions]],
  },
  {
    title: 'Duration of executions',
    format: span,
    least: 10,
    lines: [
      ['p50', 'chart-main', ({ durationMs }) => durationMs?.p50 ?? null],
      ['p99', 'chart-warn', ({ durationMs }) => durationMs?.p99 ?? null],
    ],
  },
  {
    title: 'Age of the oldest waiting entry',
    format: span,
    least: 10,
    lines: [['lag', 'chart-warn', ({ lag }) => lag?.ageMs ?? 0]],
  },
  {
    title: 'Sandbox memory',
    format: memory,
    least: 2 ** 20,
    isBinary: true,
    lines: [
      ['all', 'chart-main', ({ sandboxes }) => sandboxes.residentBytes],
      ['largest', 'chart-calm', ({ sandboxes }) => sandboxes.largestBytes],
    ],
  },
  {
    title: 'Errors and retries per second',
    format: rate,
    least: 1,
    lines: [
      ['errors', 'chart-bad', ({ errors }) => errors],
      ['retries', 'chart-warn', ({ retries }) => retries],
    ],
  },
];

function chartsOf(samples: readonly Sample[]): readonly ChartProps[] {
  const times = samples.map(({ atMs }) => atMs / 1_000);
  return LINES.map(({ lines, ...look }) => ({
    ...look,
    times,
    series: lines.map(([label, colour, pick], at) => ({
      label,
      colour,
      values: samples.map(pick),
      isFilled: at === 0,
    })),
  }));
}
