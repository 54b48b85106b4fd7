import type { ReadonlySignal } from '@preact/signals';
import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import { type Api, createApi } from '../api/client.ts';
import { createClock } from './clock.ts';
import { createDialogs, type Dialogs } from './dialogs.ts';
import { createDraft, type Draft } from './draft.ts';
import { createFeed, type Feed } from './feed.ts';
import { createFigures, type Figures } from './figures.ts';
import { createNotices, type Notices } from './notices.ts';
import { createRouter, type Router } from './router.ts';
import { createSession, type Session } from './session.ts';
import { createTheme, type Theme } from './theme.ts';

/** All state of the page that outlives a screen. */
export interface App {
  readonly api: Api;
  readonly session: Session;
  readonly feed: Feed;
  readonly figures: Figures;
  readonly router: Router;
  readonly theme: Theme;
  readonly dialogs: Dialogs;
  readonly notices: Notices;
  readonly draft: Draft;
  readonly now: ReadonlySignal<number>;
}

export function createApp(): App {
  const session = createSession();
  const api = createApi({ token: session.token, onUnauthenticated: session.refused });
  const notices = createNotices();
  return {
    api,
    session,
    feed: createFeed(api),
    figures: createFigures(api),
    router: createRouter(),
    theme: createTheme(),
    dialogs: createDialogs(notices.say),
    notices,
    draft: createDraft(),
    now: createClock(),
  };
}

export const AppContext = createContext<App | null>(null);

/** The state of the page, for everything below the root. */
export function useApp(): App {
  const app = useContext(AppContext);
  if (app === null) throw new TypeError('The page is not inside its context.');
  return app;
}
