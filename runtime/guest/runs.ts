import { guestError } from './errors.ts';
import type { Step } from './plan.ts';
import { bareList, quote } from './primordials.ts';
import type { Run } from './run-arguments.ts';

/** What a source runs while it is loaded: at most one. */
export interface Runs {
  add(run: Run): void;
  /** From now on `run` is an error. */
  close(): void;
  at(index: number): Run;
  /** JSON list of what `RunSpec` of the functions layer says. */
  json(): string;
}

function stepsJson(steps: readonly Step[]): string {
  let json = '';
  for (let i = 0; i < steps.length; i++) {
    const { type, arg } = steps[i] as Step;
    json += `${i === 0 ? '' : ','}{"type":"${type}","arg":${arg === null ? 'null' : quote(arg)}}`;
  }
  return json;
}

function runJson(run: Run, index: number): string {
  const description = run.description === null ? 'null' : quote(run.description);
  return `{"index":${index},"reader":"${run.reader}","arg":${quote(run.arg)},"mode":"${run.mode}","noScan":${run.noScan},"readValue":${run.readValue},"count":${run.count},"fromId":${quote(run.fromId)},"untilId":${quote(run.untilId)},"description":${description},"steps":[${stepsJson(run.steps)}]}`;
}

export function createRuns(): Runs {
  const list = bareList<Run>();
  let closed = false;
  return {
    add(run) {
      if (closed) {
        throw guestError(
          'GUEST_ARGUMENT',
          'run works only while the script is evaluated, not while an event or a record is handled.',
        );
      }
      if (list.length > 0) {
        throw guestError('GUEST_ARGUMENT', 'Can not run more then 1 executions in a single script');
      }
      list[list.length] = run;
    },
    close() {
      closed = true;
    },
    at(index) {
      const run = list[index];
      if (run !== undefined) return run;
      throw guestError(
        'GUEST_ERROR',
        `The script has no run ${index}: it does something else each time it is evaluated.`,
      );
    },
    json() {
      let json = '';
      for (let i = 0; i < list.length; i++) json += `${i === 0 ? '' : ','}${runJson(list[i] as Run, i)}`;
      return json;
    },
  };
}
