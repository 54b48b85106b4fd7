import { type ReadonlySignal, signal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { type Problem, problemOf } from '../api/problem.ts';

/** One question before an action. The title names the thing. */
export interface Question {
  readonly title: string;
  readonly body?: ComponentChildren;
  /** Word on the button that does it. */
  readonly action: string;
  readonly isDangerous?: boolean;
  /** Does it; answers the sentence that says what has happened, or what is shown next. */
  readonly run: () => Promise<string | Question>;
}

export interface OpenQuestion extends Question {
  readonly isRunning: boolean;
  readonly problem: Problem | null;
}

/** The one dialog of the page. */
export interface Dialogs {
  readonly question: ReadonlySignal<OpenQuestion | null>;
  readonly isHelpOpen: ReadonlySignal<boolean>;
  ask(question: Question): void;
  confirm(): Promise<void>;
  close(): void;
  toggleHelp(isOpen: boolean): void;
}

export function createDialogs(say: (sentence: string) => void): Dialogs {
  const question = signal<OpenQuestion | null>(null);
  const isHelpOpen = signal(false);
  return {
    question,
    isHelpOpen,
    ask: (asked) => {
      question.value = { ...asked, isRunning: false, problem: null };
    },
    confirm: async () => {
      const asked = question.value;
      if (asked === null || asked.isRunning) return;
      question.value = { ...asked, isRunning: true, problem: null };
      try {
        const outcome = await asked.run();
        question.value = typeof outcome === 'string' ? null : { ...outcome, isRunning: false, problem: null };
        if (typeof outcome === 'string') say(outcome);
      } catch (error) {
        question.value = { ...asked, isRunning: false, problem: problemOf(error) };
      }
    },
    close: () => {
      if (question.value?.isRunning !== true) question.value = null;
    },
    toggleHelp: (isOpen) => {
      isHelpOpen.value = isOpen;
    },
  };
}
