import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import uPlot from 'uplot';
import { useApp } from '../state/app.ts';
import { clockTime } from '../text/format.ts';
import { chartOptions } from './chart-options.ts';

export interface Series {
  readonly label: string;
  /** Name of a colour of the page, such as `chart-1`. */
  readonly colour: string;
  readonly values: readonly (number | null)[];
  readonly isFilled?: boolean;
}

export interface ChartProps {
  readonly title: string;
  /** When, in seconds since the epoch, one for each value. */
  readonly times: readonly number[];
  readonly series: readonly Series[];
  readonly format: (value: number | null | undefined) => string;
  readonly least: number;
  readonly isBinary?: boolean | undefined;
}

/** Lines over time. The legend has the newest values in words, or those under the pointer. */
export function Chart({ title, times, series, format, least, isBinary }: ChartProps): JSX.Element {
  const { theme } = useApp();
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const pointed = useSignal<number | null>(null);
  const data = [times as number[], ...series.map(({ values }) => values as (number | null)[])] as uPlot.AlignedData;
  const isDark = theme.isDark.value;
  useEffect(() => {
    const { current } = box;
    if (current === null) return;
    const look = {
      series,
      format,
      least,
      isBinary,
      onPoint: (at: number | null) => {
        pointed.value = at;
      },
    };
    const made = new uPlot(chartOptions(current, look), data, current);
    plot.current = made;
    const observer = new ResizeObserver(() =>
      made.setSize({ width: current.clientWidth, height: current.clientHeight }),
    );
    observer.observe(current);
    return () => {
      observer.disconnect();
      made.destroy();
    };
  }, [isDark, series.length]);
  useEffect(() => plot.current?.setData(data), [times]);
  const at = pointed.value ?? times.length - 1;
  const time = times[at];
  return (
    <figure class="chart" aria-label={title}>
      <figcaption>
        <span class="chart-title">{title}</span>
        <span class="soft chart-time">
          {pointed.value === null || time === undefined ? '' : clockTime(time * 1_000).slice(0, 8)}
        </span>
      </figcaption>
      <div class="chart-box" ref={box} aria-hidden="true" />
      <ul class="legend">
        {series.map(({ label, colour, values }) => (
          <li key={label}>
            <span class={`swatch swatch-${colour}`} aria-hidden="true" />
            {label} <strong>{format(values[at])}</strong>
          </li>
        ))}
      </ul>
    </figure>
  );
}
