import type { JSX } from 'preact';
import type { Overview } from '../../api/platform-types.ts';
import { plural } from '../../text/format.ts';

/** What wants attention, in sentences that lead to it; nothing when nothing does. */
export function Troubles({ overview }: { readonly overview: Overview | null }): JSX.Element | null {
  if (overview === null) return null;
  const { failing, failed, stopped } = overview.registrations;
  const all = [
    { count: failing, tone: 'bad', health: 'failing', text: `${plural(failing, 'registration')} failing now` },
    {
      count: failed,
      tone: 'warn',
      health: 'failed',
      text: `${plural(failed, 'registration')} failed before, and not since`,
    },
    { count: stopped, tone: 'calm', health: 'stopped', text: `${plural(stopped, 'registration')} not running` },
  ].filter((trouble) => trouble.count > 0);
  if (all.length === 0) return null;
  return (
    <ul class="troubles" aria-label="Wants attention">
      {all.map(({ health, tone, text }) => (
        <li key={health}>
          <a class={`badge badge-${tone}`} href={`#/registrations?health=${health}`}>
            {text}
          </a>
        </li>
      ))}
    </ul>
  );
}
