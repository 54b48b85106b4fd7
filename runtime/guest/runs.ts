import { guestError } from './errors.ts';
import { type NestedRuns, noSuchRun } from './nested-runs.ts';
import { bareList } from './primordials.ts';
import type { Run } from './run-arguments.ts';
import { runJson } from './run-json.ts';

/** What a source runs: while it is loaded at most once, from its handlers at will. */
export interface Runs {
  /** While the source is loaded nothing comes back; later a promise of `[results, errors]`. */
  add(run: Run): Promise<unknown> | undefined;
  /** The source is loaded. */
  close(): void;
  at(index: number): Run;
  /** JSON list of what `RunSpec` of the functions layer says. */
  json(): string;
}

export function createRuns(nested: NestedRuns): Runs {
  const list = bareList<Run>();
  let closed = false;
  return {
    add(run) {
      if (closed) return nested.start(run);
      if (list.length > 0) {
        throw guestError('GUEST_ARGUMENT', 'Can not run more then 1 executions in a single script');
      }
      list[list.length] = run;
      return undefined;
    },
    close() {
      closed = true;
    },
    at(index) {
      const run = list[index] ?? nested.at(index);
      if (run !== undefined) return run;
      throw noSuchRun(index);
    },
    json() {
      let json = '';
      for (let i = 0; i < list.length; i++) json += `${i === 0 ? '' : ','}${runJson(list[i] as Run, i)}`;
      return json;
    },
  };
}
