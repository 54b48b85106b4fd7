import type { JSX } from 'preact';
import { useApp } from '../state/app.ts';
import { ProblemNote } from './basics.tsx';
import { Modal } from './modal.tsx';

/** The question before an action, while it runs, and what became of it when it failed. */
export function QuestionDialog(): JSX.Element | null {
  const { dialogs } = useApp();
  const question = dialogs.question.value;
  if (question === null) return null;
  const { title, body, action, isDangerous, isRunning, problem } = question;
  return (
    <Modal title={title} onClose={dialogs.close}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void dialogs.confirm();
        }}
      >
        {body}
        {problem === null ? null : <ProblemNote problem={problem} />}
        <div class="modal-buttons">
          <button type="button" class="button" disabled={isRunning} onClick={dialogs.close}>
            Cancel
          </button>
          <button
            type="submit"
            class={`button ${isDangerous === true ? 'button-danger-solid' : 'button-main'}`}
            disabled={isRunning}
            aria-busy={isRunning}
          >
            {isRunning ? `${action} …` : action}
          </button>
        </div>
      </form>
    </Modal>
  );
}

/** What actions have done, for everybody to see and hear. */
export function NoticeList(): JSX.Element {
  const { notices } = useApp();
  return (
    <div class="notices" role="status" aria-live="polite">
      {notices.shown.value.map(({ id, sentence }) => (
        <div key={id} class="notice">
          <span>{sentence}</span>
          <button type="button" class="button button-quiet" aria-label="Dismiss" onClick={() => notices.dismiss(id)}>
            ×
          </button>
        </div>
      ))}
    </div>
  );
}
