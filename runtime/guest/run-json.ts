import type { Step } from './plan.ts';
import { quote } from './primordials.ts';
import type { Run } from './run-arguments.ts';

function stepsJson(steps: readonly Step[]): string {
  let json = '';
  for (let i = 0; i < steps.length; i++) {
    const { type, arg } = steps[i] as Step;
    json += `${i === 0 ? '' : ','}{"type":"${type}","arg":${arg === null ? 'null' : quote(arg)}}`;
  }
  return json;
}

/** What `RunSpec` of the functions layer says of a run. */
export function runJson(run: Run, index: number): string {
  const description = run.description === null ? 'null' : quote(run.description);
  return `{"index":${index},"reader":"${run.reader}","arg":${quote(run.arg)},"mode":"${run.mode}","noScan":${run.noScan},"readValue":${run.readValue},"count":${run.count},"fromId":${quote(run.fromId)},"untilId":${quote(run.untilId)},"description":${description},"steps":[${stepsJson(run.steps)}]}`;
}
