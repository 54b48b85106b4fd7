import type uPlot from 'uplot';

export interface ChartLook {
  readonly series: readonly { readonly label: string; readonly colour: string; readonly isFilled?: boolean }[];
  readonly format: (value: number) => string;
  /** The scale reaches at least so far, so that next to nothing does not look like much. */
  readonly least: number;
  /** Lines of the grid lie at powers of two, as amounts of memory do. */
  readonly isBinary?: boolean | undefined;
  /** The place of the value under the pointer; null when there is none. */
  readonly onPoint: (at: number | null) => void;
}

const AXIS_FONT = '11px system-ui, sans-serif';
/** The window of the charts when there is little to show yet, s. */
const LEAST_WINDOW_S = 60;

const POWERS_OF_TWO = Array.from({ length: 40 }, (_none, power) => 2 ** power);

/** Options of one chart in the colours that hold inside `box` now. */
export function chartOptions(box: HTMLElement, { series, format, least, isBinary, onPoint }: ChartLook): uPlot.Options {
  const colour = (name: string): string => colourOf(box, name);
  const axis = {
    stroke: colour('text-soft'),
    font: AXIS_FONT,
    grid: { stroke: colour('line'), width: 1 },
    ticks: { show: false },
  };
  return {
    width: box.clientWidth,
    height: box.clientHeight,
    padding: [8, 28, 0, 0],
    legend: { show: false },
    cursor: { y: false, drag: { x: false, y: false }, sync: { key: 'figures' }, points: { size: 6 } },
    scales: { x: { range: timeRange }, y: { range: (_plot, _least, most) => [0, Math.max(most ?? 0, least) * 1.1] } },
    axes: [
      { ...axis, size: 24, space: 70, values: (_plot, splits) => splits.map(timeLabel) },
      {
        ...axis,
        size: 56,
        space: 28,
        values: (_plot, splits) => splits.map((value) => format(value)),
        ...(isBinary === true ? { incrs: POWERS_OF_TWO } : {}),
      },
    ],
    series: [
      {},
      ...series.map(({ label, colour: name, isFilled }) => ({
        label,
        stroke: colour(name),
        width: 1.5,
        points: { size: 5, fill: colour(name), show: () => false, filter: lonely },
        spanGaps: false,
        ...(isFilled === true ? { fill: colour(`${name}-tint`) } : {}),
      })),
    ],
    hooks: { setCursor: [(plot) => onPoint(plot.cursor.idx ?? null)] },
  };
}

/** Values without a neighbour make no line: they are drawn as points. */
function lonely(plot: uPlot, series: number): number[] {
  const values = plot.data[series] ?? [];
  const isGap = (at: number): boolean => values[at] === null || values[at] === undefined;
  return Array.from(values, (_value, at) => at).filter((at) => !isGap(at) && isGap(at - 1) && isGap(at + 1));
}

function timeRange(_plot: uPlot, first: number, last: number): [number, number] {
  return [Math.min(first, last - LEAST_WINDOW_S), last];
}

function timeLabel(seconds: number): string {
  const date = new Date(seconds * 1_000);
  return [date.getHours(), date.getMinutes(), date.getSeconds()].map((part) => String(part).padStart(2, '0')).join(':');
}

/** The canvas knows no variables: an element is asked what the colour comes to. */
function colourOf(box: HTMLElement, name: string): string {
  const probe = document.createElement('i');
  probe.style.color = `var(--${name})`;
  box.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}
