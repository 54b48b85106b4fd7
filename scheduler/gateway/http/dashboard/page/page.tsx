import type { JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import { HelpDialog } from './parts/help.tsx';
import { NoticeList, QuestionDialog } from './parts/question.tsx';
import { CurrentScreen } from './screens/current-screen.tsx';
import { ConnectionBanner } from './shell/connection.tsx';
import { Menu } from './shell/menu.tsx';
import { TokenEntry } from './shell/token-entry.tsx';
import { TopBar } from './shell/top-bar.tsx';
import { useApp } from './state/app.ts';

/** Everything that is on the page. */
export function Page(): JSX.Element {
  const { session } = useApp();
  const phase = session.phase.value;
  if (phase === 'asking') return <TokenEntry />;
  return <OpenPage isOpen={phase === 'open'} />;
}

function OpenPage({ isOpen }: { readonly isOpen: boolean }): JSX.Element {
  const { feed } = useApp();
  useEffect(() => {
    if (!isOpen) return;
    feed.link.open();
    return feed.link.close;
  }, [isOpen, feed]);
  return (
    <div class="frame">
      <button type="button" class="button skip" onClick={skip}>
        Skip to content
      </button>
      <TopBar />
      <Menu />
      <main id="content">
        <ConnectionBanner />
        {isOpen ? <CurrentScreen /> : null}
      </main>
      <NoticeList />
      <QuestionDialog />
      <HelpDialog />
    </div>
  );
}

/** A button and no link: addresses of the page stand behind #, so that a jump must not change it. */
function skip(): void {
  document.querySelector<HTMLElement>('main h1')?.focus();
}
