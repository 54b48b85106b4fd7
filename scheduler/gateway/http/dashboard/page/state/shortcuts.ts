import type { App } from './app.ts';
import { SCREENS } from './screen-list.ts';

export interface Shortcut {
  /** Keys one after another. */
  readonly keys: string;
  readonly does: string;
}

const PAGE_KEYS: readonly Shortcut[] = [
  { keys: '?', does: 'shows this' },
  { keys: '/', does: 'goes to the filter of the list; Enter goes from there to the first row' },
  { keys: 'j', does: 'goes to the next row' },
  { keys: 'k', does: 'goes to the row before' },
  { keys: 't', does: 'changes between the system’s, light and dark colours' },
];

export const SHORTCUTS: readonly Shortcut[] = [
  ...SCREENS.map(({ key, name }) => ({ keys: `g ${key}`, does: name })),
  ...PAGE_KEYS,
];

/** How long the second key of a pair is waited for. */
const PAIR_MS = 1_500;

/** Listens for the keys, for as long as the page is open. */
export function listenForKeys({ router, dialogs, theme, session }: App): void {
  const state = { goAtMs: 0 };
  const actions: Readonly<Record<string, () => void>> = {
    '?': () => dialogs.toggleHelp(true),
    '/': () => document.querySelector<HTMLElement>('[data-shortcut="search"]')?.focus(),
    j: () => moveRow(1),
    k: () => moveRow(-1),
    t: theme.next,
    g: () => {
      state.goAtMs = Date.now();
    },
  };
  /** The screen that a pair of keys names, else what one key does. */
  const actionOf = (key: string): (() => void) | undefined => {
    const isPair = Date.now() - state.goAtMs < PAIR_MS;
    state.goAtMs = 0;
    const screen = isPair ? SCREENS.find((each) => each.key === key) : undefined;
    return screen === undefined ? actions[key] : () => router.go(screen.href);
  };
  const isBusy = (): boolean =>
    dialogs.question.value !== null || dialogs.isHelpOpen.value || session.phase.value !== 'open';
  addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || isBusy()) return;
    if (event.key === 'Enter' && isFilter(event.target)) moveRow(1);
    const action = isTyping(event.target) ? undefined : actionOf(event.key);
    if (action === undefined) return;
    event.preventDefault();
    action();
  });
}

/** The field above a list; that of a form searches with Enter. */
function isFilter(target: EventTarget | null): boolean {
  return target instanceof HTMLInputElement && target.type === 'search';
}

function isTyping(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName))
  );
}

/** The first link or button of each row of the list is where the row has its focus. */
function moveRow(step: 1 | -1): void {
  const rows = [...document.querySelectorAll('main tbody tr')];
  const at = rows.findIndex((row) => row.contains(document.activeElement));
  const next = at < 0 ? 0 : Math.min(Math.max(at + step, 0), rows.length - 1);
  rows[next]?.querySelector<HTMLElement>('a, button')?.focus();
}
