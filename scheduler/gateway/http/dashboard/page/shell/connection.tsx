import type { JSX } from 'preact';
import { useApp } from '../state/app.ts';
import type { LinkPhase } from '../state/link.ts';
import { clockTime, span } from '../text/format.ts';

const WORDS: Readonly<Record<LinkPhase, string>> = {
  connecting: 'Connecting',
  live: 'Live',
  stale: 'Stale',
  lost: 'Disconnected',
};

/** A word about the connection, always in sight. */
export function ConnectionState(): JSX.Element {
  const { feed } = useApp();
  const phase = feed.link.phase.value;
  return (
    <span class={`connection connection-${phase}`} role="status">
      {WORDS[phase]}
    </span>
  );
}

/** Says since when what the page shows is no longer the present. */
export function ConnectionBanner(): JSX.Element | null {
  const { feed, session, now } = useApp();
  const { phase, heardAtMs, problem } = feed.link;
  const isUnreachable = session.phase.value === 'opening' && session.problem.value !== null;
  if (!isUnreachable && phase.value !== 'lost' && phase.value !== 'stale') return null;
  const heard = heardAtMs.value;
  const reason = isUnreachable ? session.problem.value : problem.value;
  return (
    <div class="note note-bad banner" role="alert">
      <p>
        <strong>{phase.value === 'stale' ? 'What you see is stale.' : 'Disconnected from the node.'}</strong>{' '}
        {heard === null ? 'Nothing has been heard yet.' : `The newest figures are of ${clockTime(heard).slice(0, 8)}.`}
        {heard === null ? (
          ''
        ) : (
          <span aria-hidden="true">
            {' '}
            That is {span(Math.floor(Math.max(0, now.value - heard) / 1_000) * 1_000)} ago.
          </span>
        )}
      </p>
      <p class="soft">
        {reason === null || reason.code === 'UNREACHABLE' ? '' : `${reason.detail} `}The page goes on trying to connect.
      </p>
    </div>
  );
}
