import type { JSX } from 'preact';
import type { Trial } from '../../api/platform-types.ts';
import { Badge, Card, Empty, Facts } from '../../parts/basics.tsx';
import { ErrorPlace } from '../../parts/error-place.tsx';
import { Level } from '../../parts/log-lines.tsx';
import { placeHref } from '../../state/router.ts';
import { bytesText, plural, prettyText, span, valueText } from '../../text/format.ts';

const TONES = { done: 'ok', filtered: 'calm', failed: 'bad' } as const;

/** What a sample did: its end, its results, its log lines, its commands. */
export function TrialResult({ trial }: { readonly trial: Trial }): JSX.Element {
  const { outcome, error, results, functionName, version } = trial;
  const source =
    version === null ? null : (
      <a href={placeHref(['functions', functionName, 'source'], { version })}>
        {functionName}, version {version}
      </a>
    );
  return (
    <>
      <Card title="Outcome">
        <Facts
          facts={[
            [
              'Outcome',
              <Badge key="outcome" tone={TONES[outcome]}>
                {outcome}
              </Badge>,
            ],
            ['Took', span(trial.durationMs)],
            ['Ran', source],
          ]}
        />
        {error === null ? null : (
          <>
            <p>
              <code>{error.code}</code>
            </p>
            <ErrorPlace functionName={functionName} version={version} stack={error.stack ?? error.message} />
          </>
        )}
      </Card>
      <Card title={`Results (${results.length})`}>
        {results.length === 0 ? (
          <Empty>It gave none.</Empty>
        ) : (
          <pre class="block">{results.map((each) => prettyText(valueText(each))).join('\n')}</pre>
        )}
      </Card>
      <TrialCommands trial={trial} />
      <Card title={`Log lines (${trial.logs.length})`}>
        {trial.logs.length === 0 ? (
          <Empty>It wrote none.</Empty>
        ) : (
          <ol class="log log-short">
            {trial.logs.map(({ level, message }, at) => (
              <li key={at}>
                <Level level={level} />
                <span class="log-message">{message}</span>
              </li>
            ))}
          </ol>
        )}
      </Card>
    </>
  );
}

function TrialCommands({ trial: { commands, commandsDropped } }: { readonly trial: Trial }): JSX.Element {
  return (
    <Card title={`Redis commands (${commands.length + commandsDropped})`}>
      {commands.length === 0 ? (
        <Empty>It sent none.</Empty>
      ) : (
        <ol class="commands">
          {commands.map(({ args, reply, error }, at) => (
            <li key={at}>
              <code class="wrap">{args.map(bytesText).join(' ')}</code>
              <code class={error === null ? 'soft wrap' : 'reply-error wrap'}>{error ?? valueText(reply)}</code>
            </li>
          ))}
        </ol>
      )}
      {commandsDropped === 0 ? null : <p class="soft">{plural(commandsDropped, 'further command')} not shown.</p>}
    </Card>
  );
}
