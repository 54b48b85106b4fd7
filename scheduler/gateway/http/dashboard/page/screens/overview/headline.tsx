import type { JSX } from 'preact';
import type { Overview, Sample } from '../../api/platform-types.ts';
import { count, memory, plural, rate, span } from '../../text/format.ts';

interface Figure {
  readonly name: string;
  readonly value: string;
  readonly more: string;
  readonly href: string;
  readonly tone?: 'bad' | 'warn' | 'more-bad' | undefined;
}

export interface HeadlineProps {
  readonly overview: Overview | null;
  readonly sample: Sample | null;
}

/** The numbers that a person looks for first; each leads to where it comes from. */
export function Headline({ overview, sample }: HeadlineProps): JSX.Element {
  return (
    <ul class="headline" aria-label="Figures of now">
      {[...workFigures(sample), ...stockFigures(overview, sample)].map(({ name, value, more, href, tone }) => (
        <li key={name} class={tone === undefined ? undefined : `figure-${tone}`}>
          <a href={href}>
            <span class="figure-name">{name}</span>
            <strong class="figure-value">{value}</strong>
            <span class="figure-more">{more}</span>
          </a>
        </li>
      ))}
    </ul>
  );
}

function workFigures(sample: Sample | null): readonly Figure[] {
  const entries = sample?.entries;
  const ended = entries === undefined ? null : entries.done + entries.filtered + entries.dead + entries.expired;
  const lag = sample?.lag ?? null;
  return [
    { name: 'Entries', value: `${rate(ended)}/s`, more: `${rate(sample?.executions)} executions/s`, href: '#/streams' },
    {
      name: 'p99',
      value: span(sample?.durationMs?.p99 ?? null),
      more: `p50 ${span(sample?.durationMs?.p50 ?? null)}`,
      href: '#/registrations',
    },
    {
      name: 'Lag',
      value: lag === null || lag.ageMs === null ? 'none' : span(lag.ageMs),
      more: lag === null ? '' : `${count((lag.unread ?? 0) + lag.pending)} entries wait`,
      href: '#/streams',
    },
    {
      name: 'Errors',
      value: `${rate(sample?.errors)}/s`,
      more: `${rate(sample?.retries)} retries/s`,
      href: '#/registrations?health=failing',
      tone: (sample?.errors ?? 0) > 0 ? 'bad' : undefined,
    },
  ];
}

function stockFigures(overview: Overview | null, sample: Sample | null): readonly Figure[] {
  const registrations = overview?.registrations;
  const failing = registrations?.failing ?? 0;
  const letters = overview?.deadLetters ?? null;
  return [
    {
      name: 'Registrations',
      value: count(registrations?.total),
      more: failing === 0 ? `of ${plural(overview?.functions ?? 0, 'function')}` : `${count(failing)} failing now`,
      href: failing === 0 ? '#/registrations' : '#/registrations?health=failing',
      tone: failing === 0 ? undefined : 'more-bad',
    },
    {
      name: 'Dead letters',
      value: count(letters),
      more: letters === 0 ? 'nothing given up' : 'to redrive or discard',
      href: '#/dead-letters',
      tone: (letters ?? 0) > 0 ? 'warn' : undefined,
    },
    {
      name: 'Sandboxes',
      value: memory(sample?.sandboxes.residentBytes),
      more: `${plural(sample?.sandboxes.processes ?? 0, 'process', 'processes')}, ${plural(sample?.sandboxes.isolates ?? 0, 'isolate')}`,
      href: '#/cluster',
    },
    {
      name: 'Nodes',
      value: count(overview?.nodes),
      more: `${plural(overview?.executionsRunning ?? 0, 'batch run')} under way`,
      href: '#/cluster',
    },
  ];
}
