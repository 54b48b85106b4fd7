import { MultiBar, Presets, type SingleBar } from 'cli-progress';
import { barWidth } from '../feed/progress.ts';
import type { Output } from '../render.ts';
import type { Counter } from './counters.ts';

/** What has been fed and what the functions have counted, at one moment. */
export interface DemoMoment {
  readonly fed: number;
  readonly toFeed: number;
  readonly counted: number;
  readonly entriesPerSecond: number;
  readonly counters: readonly Counter[];
}

/** Shows the counters while they grow: bars that are redrawn on a terminal, a line per moment elsewhere. */
export interface DemoScreen {
  show(moment: DemoMoment): void;
  stop(): void;
}

const LABEL_WIDTH = 22;
/** Columns of the longest text beside a bar. */
const SHOWN_WIDTH = 30;

export function createScreen(output: Output): DemoScreen {
  return output.live ? createBars() : createLines(output);
}

function createBars(): DemoScreen {
  const screen = new MultiBar(
    {
      hideCursor: true,
      barsize: barWidth(LABEL_WIDTH + SHOWN_WIDTH),
      format: '{label} {bar} {shown}',
      autopadding: false,
    },
    Presets.shades_classic,
  );
  const bars: SingleBar[] = [];
  const draw = (
    at: number,
    row: { readonly label: string; readonly shown: string; value: number; total: number },
  ): void => {
    const payload = { label: row.label.padEnd(LABEL_WIDTH), shown: row.shown };
    const bar = bars[at] ?? screen.create(Math.max(1, row.total), 0, payload);
    bars[at] = bar;
    bar.setTotal(Math.max(1, row.total));
    bar.update(row.value, payload);
  };
  return {
    show: ({ fed, toFeed, entriesPerSecond, counters }) => {
      const left = entriesPerSecond > 0 ? `, ${Math.ceil((toFeed - fed) / entriesPerSecond)}s left` : '';
      const shown = `${fed}/${toFeed}, ${entriesPerSecond}/s${left}`;
      draw(0, { label: 'feeding', shown, value: fed, total: toFeed });
      const largest = Math.max(...counters.map((counter) => counter.value));
      for (const [at, { label, value }] of counters.entries()) {
        draw(at + 1, { label, shown: String(value), value, total: largest });
      }
      screen.update();
    },
    stop: () => screen.stop(),
  };
}

function createLines(output: Output): DemoScreen {
  return {
    show: ({ fed, toFeed, counted, counters }) => {
      const shown = counters.map(({ label, value }) => `${label}: ${value}`).join(', ');
      output.line(`fed ${fed}/${toFeed}, counted ${counted}; ${shown}`);
    },
    stop: () => undefined,
  };
}
