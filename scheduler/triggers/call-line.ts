import type { Call } from './call-run.ts';

/** Calls of one registration that have not begun, in order. */
export interface CallLine {
  readonly length: number;
  /** @param patienceMs after so long without its turn it is given to `onLate`; null = it waits as long as it takes. */
  push(call: Call, patienceMs: number | null): void;
  /** The first ones, at most so many, and not more text than goes well in one message. */
  take(most: number): readonly Call[];
  /** All of them. */
  clear(): readonly Call[];
}

interface Waiting {
  readonly call: Call;
  readonly untilMs: number;
}

const MAX_CHARS = 8 * 1024 * 1024;

export function createCallLine(onLate: (calls: readonly Call[]) => void): CallLine {
  let line: Waiting[] = [];
  let timer: NodeJS.Timeout | null = null;

  function watch(): void {
    const untilMs = line[0]?.untilMs ?? Number.POSITIVE_INFINITY;
    if (timer !== null || untilMs === Number.POSITIVE_INFINITY) return;
    timer = setTimeout(loseSome, Math.max(0, untilMs - performance.now()) + 1);
  }

  function loseSome(): void {
    timer = null;
    const nowMs = performance.now();
    let late = 0;
    while (late < line.length && (line[late] as Waiting).untilMs <= nowMs) late += 1;
    const calls = callsOf(line.splice(0, late));
    watch();
    if (calls.length > 0) onLate(calls);
  }

  return {
    get length() {
      return line.length;
    },
    push(call, patienceMs) {
      line.push({ call, untilMs: patienceMs === null ? Number.POSITIVE_INFINITY : performance.now() + patienceMs });
      watch();
    },
    take(most) {
      let count = 0;
      for (let chars = 0; count < Math.min(most, line.length) && chars < MAX_CHARS; count += 1) {
        chars += line[count]?.call.args.length ?? 0;
      }
      return callsOf(line.splice(0, count));
    },
    clear() {
      const all = line;
      line = [];
      if (timer !== null) clearTimeout(timer);
      timer = null;
      return callsOf(all);
    },
  };
}

function callsOf(line: readonly Waiting[]): readonly Call[] {
  return line.map(({ call }) => call);
}
