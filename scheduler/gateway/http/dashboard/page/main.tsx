import { render } from 'preact';
import { Page } from './page.tsx';
import { AppContext, createApp } from './state/app.ts';
import { listenForKeys } from './state/shortcuts.ts';

const app = createApp();
const root = document.querySelector('#page');
if (root !== null) {
  render(
    <AppContext.Provider value={app}>
      <Page />
    </AppContext.Provider>,
    root,
  );
}
listenForKeys(app);
void app.session.open(app.api);
