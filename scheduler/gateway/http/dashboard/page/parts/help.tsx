import type { JSX } from 'preact';
import { useApp } from '../state/app.ts';
import { SHORTCUTS } from '../state/shortcuts.ts';
import { Modal } from './modal.tsx';

/** What the keys do. */
export function HelpDialog(): JSX.Element | null {
  const { dialogs } = useApp();
  if (!dialogs.isHelpOpen.value) return null;
  return (
    <Modal title="Keyboard" onClose={() => dialogs.toggleHelp(false)}>
      <dl class="facts keys">
        {SHORTCUTS.map(({ keys, does }) => (
          <div key={keys}>
            <dt>
              {keys.split(' ').map((key) => (
                <kbd key={key}>{key}</kbd>
              ))}
            </dt>
            <dd>{does}</dd>
          </div>
        ))}
      </dl>
      <p class="soft">
        Tab and Shift Tab go from control to control, Enter follows a link or presses a button, Escape closes.
      </p>
      <div class="modal-buttons">
        <button type="button" class="button button-main" onClick={() => dialogs.toggleHelp(false)}>
          Close
        </button>
      </div>
    </Modal>
  );
}
