import type { Output } from '../render.ts';
import { printable } from '../render.ts';
import type { DeployedEvent, RefusedEvent, UnchangedEvent, WatchEvent } from './function-watch.ts';
import { mistakesOf, showPlace } from './source-place.ts';

/** Tells what became of each save: lines for people, or with `--json` one object a line. */
export function createWatchReport(output: Output): (event: WatchEvent) => void {
  const shownRegistrations = new Map<string, string>();
  const tellDeployed = ({ name, deployed, sinceSaveMs, file }: DeployedEvent): void => {
    const { version, sha256, registrations } = deployed;
    const facts = { event: 'deployed', name, file, version, sha256, registrations, sinceSaveMs };
    output.record(facts, () => {
      const when = sinceSaveMs === null ? '' : `, ${sinceSaveMs} ms after the save`;
      output.line(`${head(output, 'good', 'deployed')} ${output.style('name', name)} version ${version}${when}`);
      const list = registrations.map((id) => `  ${id}`).join('\n') || '  registers nothing';
      if (shownRegistrations.get(name) !== list) output.line(list);
      shownRegistrations.set(name, list);
    });
  };
  return (event) => {
    if (event.kind === 'deployed') tellDeployed(event);
    else if (event.kind === 'refused') tellRefused(output, event);
    else tellUnchanged(output, event);
  };
}

/** Time and word that a line begins with. */
export function head(output: Output, style: 'good' | 'bad' | 'warn' | 'faint', word: string): string {
  const time = new Date().toTimeString().slice(0, 8);
  return `${output.style('faint', time)} ${output.style(style, word.padEnd(8))}`;
}

function tellUnchanged(output: Output, { name, file, version, isMended }: UnchangedEvent): void {
  output.record({ event: 'unchanged', name, file, version, mended: isMended }, () => {
    const what = isMended ? `is as version ${version} again, which is in force` : `is unchanged, version ${version}`;
    output.line(
      `${head(output, isMended ? 'good' : 'faint', isMended ? 'mended' : 'same')} ${output.style('name', name)} ${what}`,
    );
  });
}

function tellRefused(output: Output, { name, file, error, bundled, version }: RefusedEvent): void {
  const { code, message } = error;
  const mistakes = mistakesOf(error, bundled === null ? null : { file, bundled });
  const facts = { event: 'refused', name, file, error: { code, message }, mistakes, versionInForce: version };
  output.record(facts, () => {
    const stays = version === null ? 'nothing of it is deployed yet' : `version ${version} goes on running`;
    const next = error.retryable ? 'it is tried again until it works' : stays;
    output.line(`${head(output, 'bad', 'refused')} ${output.style('name', name)}: ${next}`);
    const lines = message.split('\n').map(printable);
    output.line(`  ${output.style('bad', code)}: ${lines.join('\n  ')}`);
    for (const mistake of mistakes.slice(0, 5)) showPlace(output, mistake, message);
  });
}
