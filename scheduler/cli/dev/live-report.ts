import type { Witness, WitnessedFailure, WitnessedLine, WitnessedRun } from '../../platform/witness.ts';
import type { Output } from '../render.ts';
import { printable } from '../render.ts';
import { head } from '../watch/watch-report.ts';
import { commandFacts, errorFacts, levelText, showCommands, showError, titleOf } from './show-run.ts';
import type { VersionSources } from './version-sources.ts';

/** So much is told in one second; a flood of events is counted. */
const MOST_PER_SECOND = 100;
const SECOND_MS = 1_000;
/** Failures of one batch for one reason are told once, with one entry as example. */
const MOST_REASONS = 3;

/** Tells what happens on the node: what functions write, and how each batch ends. Disposing tells what is still untold. */
export interface LiveReport extends Witness, Disposable {}

export function createLiveReport(output: Output, sources: VersionSources): LiveReport {
  const flood = createFlood((untold) => {
    output.record({ event: 'untold', count: untold }, () =>
      output.line(`${head(output, 'warn', 'and')} ${untold} more lines and runs in this second`),
    );
  });
  return {
    onLine: (line) => flood.tell(() => tellLine(output, line)),
    onRun: (run) => flood.tell(() => tellRun(output, run, sources)),
    [Symbol.dispose]: () => flood[Symbol.dispose](),
  };
}

interface Flood extends Disposable {
  tell(say: () => void): void;
}

function createFlood(onUntold: (count: number) => void): Flood {
  let told = 0;
  let untold = 0;
  let timer: NodeJS.Timeout | null = null;
  const over = (): void => {
    timer = null;
    told = 0;
    if (untold > 0) onUntold(untold);
    untold = 0;
  };
  return {
    tell(say) {
      timer ??= setTimeout(over, SECOND_MS);
      told += 1;
      if (told > MOST_PER_SECOND) untold += 1;
      else say();
    },
    [Symbol.dispose]() {
      if (timer !== null) clearTimeout(timer);
      over();
    },
  };
}

function tellLine(output: Output, line: WitnessedLine): void {
  const { functionName, version, registrationId, stream, entryId, subject, level, message } = line;
  const facts = { event: 'log', function: functionName, version, registration: registrationId, stream };
  output.record({ ...facts, entry: entryId, subject, level, message }, () => {
    const whose = registrationId ?? `${functionName} while it loads`;
    const text = message.split('\n').map(printable).join('\n  ');
    output.line(
      `${head(output, 'faint', 'log')} ${name(output, whose, version)} ${where(output, [stream, entryId, subject])}${levelText(output, level)} ${text}`,
    );
  });
}

function tellRun(output: Output, run: WitnessedRun, sources: VersionSources): void {
  const source = sources.get(run.functionName, run.version);
  output.record(runFacts(run, sources), () => {
    const { failures, registrationId, version, stream, entryIds, subjects, durationMs } = run;
    const style = failures.length > 0 ? 'bad' : 'good';
    const event = run.entries === 1 ? [entryIds[0], subjects[0]] : [];
    const what = `${endsOf(run)}${output.style('faint', `${durationMs.toFixed(1)} ms`)}`;
    output.line(
      `${head(output, style, wordOf(run))} ${name(output, registrationId, version)} ${where(output, [stream, ...event])}${what}`,
    );
    showCommands(output, run.commands, run.commandsDropped);
    showFailures(output, failures, source);
  });
}

function showFailures(
  output: Output,
  failures: readonly WitnessedFailure[],
  source: Parameters<typeof showError>[2],
): void {
  const reasons = Map.groupBy(failures, ({ error }) => `${titleOf(error)}\n${error.stack}`);
  for (const [first, ...same] of [...reasons.values()].slice(0, MOST_REASONS)) {
    if (first === undefined) continue;
    const others = same.length === 0 ? '' : ` and ${same.length} more`;
    if (failures.length > 1) output.line(`  ${printable(first.entryId ?? first.subject ?? '?')}${others}:`);
    showError(output, first.error, source);
  }
  if (reasons.size > MOST_REASONS) output.line(`  … and ${reasons.size - MOST_REASONS} other reasons`);
}

function runFacts(run: WitnessedRun, sources: VersionSources): object {
  const { functionName, version, registrationId, stream, entryIds, subjects, entries, done, filtered, durationMs } =
    run;
  const source = sources.get(functionName, version);
  const failures = run.failures.map(({ entryId, subject, error }) => ({
    entry: entryId,
    subject,
    error: errorFacts(error, source),
  }));
  return {
    ...{ event: 'ran', function: functionName, version, registration: registrationId, stream, entryIds, subjects },
    ...{ entries, done, filtered, failed: failures.length, failures, durationMs },
    commands: commandFacts(run.commands),
  };
}

function wordOf({ failures, done }: WitnessedRun): string {
  if (failures.length > 0) return 'failed';
  return done > 0 ? 'done' : 'filtered';
}

/** Of one entry the first word has said it. */
function endsOf({ entries, done, filtered, failures }: WitnessedRun): string {
  if (entries === 1) return '';
  const parts = [`${done} done`];
  if (filtered > 0) parts.push(`${filtered} filtered`);
  if (failures.length > 0) parts.push(`${failures.length} failed`);
  return `${entries} entries: ${parts.join(', ')}, `;
}

function name(output: Output, registrationId: string, version: number): string {
  const shown = output.style('name', printable(registrationId));
  return version === 0 ? shown : `${shown} ${output.style('faint', `v${version}`)}`;
}

function where(output: Output, words: readonly (string | null | undefined)[]): string {
  const shown = words.filter((word) => typeof word === 'string' && word !== '').join(' ');
  return shown === '' ? '' : `${output.style('faint', printable(shown))} `;
}
