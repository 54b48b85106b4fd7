import { type ReadonlySignal, signal } from '@preact/signals';

export interface Notice {
  readonly id: number;
  readonly sentence: string;
}

/** Short sentences that say what an action did. They go away by themselves. */
export interface Notices {
  readonly shown: ReadonlySignal<readonly Notice[]>;
  say(sentence: string): void;
  dismiss(id: number): void;
}

const SHOWN_MS = 8_000;

export function createNotices(): Notices {
  const shown = signal<readonly Notice[]>([]);
  const dismiss = (id: number): void => {
    shown.value = shown.value.filter((notice) => notice.id !== id);
  };
  const counter = { last: 0 };
  return {
    shown,
    dismiss,
    say: (sentence) => {
      counter.last += 1;
      const id = counter.last;
      shown.value = [...shown.value, { id, sentence }];
      setTimeout(() => dismiss(id), SHOWN_MS);
    },
  };
}
