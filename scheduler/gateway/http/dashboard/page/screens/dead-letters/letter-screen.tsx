import type { JSX } from 'preact';
import { url } from '../../api/client.ts';
import type { DeadLetterDetail } from '../../api/types.ts';
import { ActionButton, Age, Answer, Card, Empty, Facts } from '../../parts/basics.tsx';
import { ErrorPlace } from '../../parts/error-place.tsx';
import { FieldList } from '../../parts/field-list.tsx';
import { Screen } from '../../parts/screen.tsx';
import { useApp } from '../../state/app.ts';
import { placeHref } from '../../state/router.ts';
import { useFetched } from '../../state/use-list.ts';
import { bytesText } from '../../text/format.ts';
import type { ScreenAddress } from '../current-screen.tsx';
import { useLetterActions } from './letter-actions.tsx';

/** One dead letter: what it held, why it was given up on, where in the source. */
export function LetterScreen({ rest }: ScreenAddress): JSX.Element {
  const [id = ''] = rest;
  const answer = useFetched<DeadLetterDetail>(url`/v1/dead-letters/${id}`);
  return (
    <Screen
      title={`Dead letter ${answer.data?.entryId ?? id}`}
      parent={{ href: '#/dead-letters', name: 'Dead letters' }}
      tools={answer.data === null ? undefined : <LetterTools letter={answer.data} />}
    >
      <Answer to={answer}>{(known) => <LetterBody letter={known} />}</Answer>
    </Screen>
  );
}

function LetterTools({ letter }: { readonly letter: DeadLetterDetail }): JSX.Element {
  const { router, draft } = useApp();
  const { redrive, discard } = useLetterActions(() => router.go('#/dead-letters'));
  const selection = { filter: { ids: [letter.id] }, words: `entry ${letter.entryId}` };
  const tryIt = (): void => {
    const fields = letter.fields.map(([name, value]) => [bytesText(name), bytesText(value)] as const);
    draft.entry.value = { stream: letter.stream, fields };
    router.go(placeHref(['console'], { registration: letter.registrationId }));
  };
  return (
    <>
      <ActionButton needs="invoke" onClick={tryIt} isOff={letter.fields.length === 0}>
        Try in console
      </ActionButton>
      <ActionButton needs="admin" tone="main" onClick={() => void redrive(selection)}>
        Redrive
      </ActionButton>
      <ActionButton needs="admin" tone="danger" onClick={() => void discard(selection)}>
        Discard
      </ActionButton>
    </>
  );
}

function LetterBody({ letter }: { readonly letter: DeadLetterDetail }): JSX.Element {
  const { functionName, version, errorStack, errorMessage, errorCode } = letter;
  const text = errorStack ?? errorMessage;
  return (
    <>
      <Card title="Error">
        {errorCode === null ? null : (
          <p>
            <code>{errorCode}</code>
          </p>
        )}
        {text === null ? (
          <p>{REASONS[letter.reason] ?? letter.reason}</p>
        ) : (
          <ErrorPlace functionName={functionName} version={version} stack={text} />
        )}
      </Card>
      <div class="columns">
        <Card title="Payload">
          {letter.fields.length === 0 ? (
            <Empty>The entry had been trimmed away before it was given up on.</Empty>
          ) : (
            <FieldList fields={letter.fields} />
          )}
        </Card>
        <Card title="Where it comes from">
          <LetterFacts letter={letter} />
        </Card>
      </div>
    </>
  );
}

/** Why an entry was given up on, in words. */
const REASONS: Readonly<Record<string, string>> = {
  attempts: 'all its attempts failed',
  policy: 'the registration gives up on failures at once',
  quarantine: 'its version was stopped for killing sandboxes',
  lost_to_trim: 'the stream was trimmed before it had ended',
};

function LetterFacts({ letter }: { readonly letter: DeadLetterDetail }): JSX.Element {
  const { registrationId, functionName, version, stream, entryId, attempts, reason, diedAtMs } = letter;
  const source = version === null ? functionName : `${functionName}, version ${version}`;
  return (
    <Facts
      facts={[
        [
          'Stream',
          <a key="stream" href={placeHref(['streams', stream])}>
            {stream}
          </a>,
        ],
        ['Entry', <code key="entry">{entryId}</code>],
        [
          'Registration',
          <a key="registration" href={placeHref(['registrations', registrationId])}>
            {registrationId}
          </a>,
        ],
        [
          'Function',
          <a key="function" href={placeHref(['functions', functionName])}>
            {source}
          </a>,
        ],
        ['Attempts', attempts],
        ['Reason', REASONS[reason] ?? reason],
        ['Given up', <Age key="died" atMs={diedAtMs} />],
      ]}
    />
  );
}
