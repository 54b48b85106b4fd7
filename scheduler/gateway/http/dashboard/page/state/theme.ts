import { type ReadonlySignal, signal } from '@preact/signals';

/** `system` follows prefers-color-scheme. */
export type ThemeChoice = 'system' | 'light' | 'dark';

export interface Theme {
  readonly choice: ReadonlySignal<ThemeChoice>;
  /** What is shown now. */
  readonly isDark: ReadonlySignal<boolean>;
  next(): void;
}

const KEY = 'regears-theme';
const ORDER: readonly ThemeChoice[] = ['system', 'light', 'dark'];

export function createTheme(): Theme {
  const media = matchMedia('(prefers-color-scheme: dark)');
  const choice = signal<ThemeChoice>(ORDER.find((each) => each === localStorage.getItem(KEY)) ?? 'system');
  const isDark = signal(false);
  const apply = (): void => {
    document.documentElement.dataset.theme = choice.value;
    isDark.value = choice.value === 'dark' || (choice.value === 'system' && media.matches);
  };
  apply();
  media.addEventListener('change', apply);
  return {
    choice,
    isDark,
    next: () => {
      choice.value = ORDER[(ORDER.indexOf(choice.value) + 1) % ORDER.length] ?? 'system';
      localStorage.setItem(KEY, choice.value);
      apply();
    },
  };
}
