import type { JSX } from 'preact';
import type { Health, Registration } from '../../api/types.ts';
import { Badge, type Tone } from '../../parts/basics.tsx';

export const HEALTHS: Readonly<Record<Health, { readonly tone: Tone; readonly words: string }>> = {
  ok: { tone: 'ok', words: 'ok' },
  failing: { tone: 'bad', words: 'failing now' },
  failed: { tone: 'warn', words: 'failed before' },
  stopped: { tone: 'calm', words: 'stopped' },
};

/** Red: its newest run failed. Amber: runs failed before, the newest did not. */
export function HealthBadge({ registration }: { readonly registration: Registration }): JSX.Element {
  const { health, state } = registration;
  const { tone, words } = HEALTHS[health];
  const isStopped = health === 'stopped';
  return (
    <Badge tone={state === 'quarantined' || state === 'aborted' ? 'bad' : tone}>{isStopped ? state : words}</Badge>
  );
}

/** What it waits for, in a few words. */
export function triggerWords({ trigger }: Registration): string {
  const named = [
    'stream',
    'prefix',
    'trigger',
    'name',
    'pattern',
    'channel',
    'key',
    'list',
    'cron',
    'every',
    'command',
  ];
  const value = named.map((name) => trigger[name]).find((each) => typeof each === 'string' || typeof each === 'number');
  return value === undefined ? trigger.kind : `${trigger.kind} ${value}`;
}
