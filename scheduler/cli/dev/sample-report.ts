import { decodeReply, type PlatformError, type ReplyValue } from '#functions';
import { jsonValue } from '../../gateway/operations/json-values.ts';
import type { Trial } from '../../gateway/operations/trial.ts';
import type { Reply } from '../client.ts';
import type { Output } from '../render.ts';
import { printable } from '../render.ts';
import { head } from '../watch/watch-report.ts';
import type { Sample } from './sample.ts';
import { commandFacts, errorFacts, levelText, replyText, showCommands, showError } from './show-run.ts';
import type { VersionSources } from './version-sources.ts';

/** Tells what became of samples. */
export interface SampleReport {
  tried(sample: Sample, trial: Trial): void;
  /** A command that was sent for real. */
  sent(sample: Sample, reply: Reply): void;
  unmatched(sample: Sample, functions: readonly string[]): void;
  failed(sample: Sample, error: PlatformError): void;
  unreadable(file: string, error: PlatformError): void;
}

export function createSampleReport(output: Output, sources: VersionSources): SampleReport {
  const say = (style: 'good' | 'bad' | 'warn', sample: string, text: string): void =>
    output.line(`${head(output, style, 'sample')} ${output.style('title', printable(sample))} ${text}`);
  const wrong = (sample: string, { code, message }: PlatformError): void => {
    output.record({ event: 'sample', sample, outcome: 'refused', error: { code, message } }, () =>
      say('bad', sample, `${output.style('bad', code)}: ${printable(message)}`),
    );
  };
  return {
    tried: (sample, trial) => tellTrial(output, { sample: sample.name, trial, sources }),
    sent: ({ name }, reply) => {
      output.record({ event: 'sample', sample: name, outcome: 'sent', reply }, () =>
        say(
          'good',
          name,
          `sent ${output.style('faint', '→')} ${printable(typeof reply === 'string' ? reply : JSON.stringify(reply))}`,
        ),
      );
    },
    unmatched: ({ name, event, registrationId }, functions) => {
      output.record({ event: 'sample', sample: name, outcome: 'unmatched', functions }, () => {
        const whom = registrationId === null ? functions.join(', ') : registrationId;
        say('warn', name, `nothing of ${whom} waits for ${eventText(event)}`);
      });
    },
    failed: ({ name }, error) => wrong(name, error),
    unreadable: (file, error) => wrong(file, error),
  };
}

interface Told {
  readonly sample: string;
  readonly trial: Trial;
  readonly sources: VersionSources;
}

function tellTrial(output: Output, { sample, trial, sources }: Told): void {
  const { outcome, functionName, version, registrationId, durationMs, error, logs, commands, commandsDropped } = trial;
  const source = sources.get(functionName, version);
  const decoded = decodeReply(trial.results);
  const results: readonly ReplyValue[] = Array.isArray(decoded) ? decoded : [decoded];
  const facts = {
    ...{ event: 'sample', sample, outcome, function: functionName, version, registration: registrationId, durationMs },
    ...{ results: results.map(jsonValue), logs, commands: commandFacts(commands) },
    error: error === null ? null : errorFacts(error, source),
  };
  output.record(facts, () => {
    const style = outcome === 'failed' ? 'bad' : 'good';
    const whose = `${output.style('name', printable(registrationId))} ${output.style('faint', `v${version}`)}`;
    const took = output.style('faint', `${durationMs.toFixed(1)} ms`);
    output.line(
      `${head(output, style, 'sample')} ${output.style('title', printable(sample))} ${whose} ${outcome} ${took}`,
    );
    for (const { level, message } of logs) {
      output.line(`    ${levelText(output, level)} ${message.split('\n').map(printable).join('\n    ')}`);
    }
    showCommands(output, commands, commandsDropped);
    for (const result of results) output.line(`    ${output.style('faint', 'result')} ${replyText(result)}`);
    if (error !== null) showError(output, error, source);
  });
}

/** Such as `stream events:web`. */
function eventText(event: Sample['event']): string {
  const [, what] = Object.entries(event).find(([name]) => name === event.kind) ?? [];
  const words = Array.isArray(what) ? what.join(' ') : String(what);
  return `${event.kind} ${printable(Buffer.from(words, 'latin1').toString())}`;
}
