import type { JSX } from 'preact';
import { useApp } from '../state/app.ts';
import { INTERVALS_MS } from '../state/feed.ts';
import { span } from '../text/format.ts';
import { ConnectionState } from './connection.tsx';

/** Name, connection, and what concerns the page as a whole. */
export function TopBar(): JSX.Element {
  const { dialogs, session } = useApp();
  const me = session.me.value;
  return (
    <header class="top-bar">
      <a class="brand" href="#/">
        <svg class="brand-mark" viewBox="0 0 32 32" aria-hidden="true">
          <path d={GEAR} />
        </svg>
        ReGears
      </a>
      <ConnectionState />
      <div class="top-tools">
        {me === null ? null : (
          <span class="who soft" title={`Node ${me.nodeId}, version ${me.version}`}>
            {me.authentication === 'open' ? 'open API' : `${me.name ?? 'token'} · ${me.role}`}
          </span>
        )}
        {me?.authentication === 'token' ? (
          <button type="button" class="button button-quiet" onClick={session.leave}>
            Sign out
          </button>
        ) : null}
        <Interval />
        <ThemeButton />
        <button
          type="button"
          class="button button-quiet"
          aria-label="Keyboard help"
          onClick={() => dialogs.toggleHelp(true)}
        >
          ?
        </button>
      </div>
    </header>
  );
}

/** A gear with eight teeth, the sign of the page. */
const GEAR =
  'M13.6 3h4.8l.7 3.4 2.2.9 2.9-1.9 3.4 3.4-1.9 2.9.9 2.2 3.4.7v4.8l-3.4.7-.9 2.2 1.9 2.9-3.4 3.4-2.9-1.9-2.2.9-.7 3.4h-4.8l-.7-3.4-2.2-.9-2.9 1.9-3.4-3.4 1.9-2.9-.9-2.2L2 19.4v-4.8l3.4-.7.9-2.2-1.9-2.9 3.4-3.4 2.9 1.9 2.2-.9zM16 12a5 5 0 1 0 0 10 5 5 0 0 0 0-10z';

function Interval(): JSX.Element {
  const { feed } = useApp();
  return (
    <select
      class="input interval"
      aria-label="How often lists are looked at"
      value={String(feed.intervalMs.value)}
      onChange={(event) => feed.setInterval(Number(event.currentTarget.value))}
    >
      {INTERVALS_MS.map((ms) => (
        <option key={ms} value={String(ms)}>
          every {span(ms)}
        </option>
      ))}
    </select>
  );
}

const THEMES = { system: 'Colours: system', light: 'Colours: light', dark: 'Colours: dark' } as const;
const SIGNS = { system: '◐', light: '○', dark: '●' } as const;

function ThemeButton(): JSX.Element {
  const { theme } = useApp();
  const choice = theme.choice.value;
  return (
    <button
      type="button"
      class="button button-quiet"
      aria-label={THEMES[choice]}
      title={THEMES[choice]}
      onClick={theme.next}
    >
      <span aria-hidden="true">{SIGNS[choice]}</span>
    </button>
  );
}
