import type { App } from './app.ts';
import { SCREENS } from './screen-list.ts';

export interface Shortcut {
  /** Keys one after another. */
  readonly keys: string;
  readonly does: string;
}

const PAGE_KEYS: readonly Shortcut[] = [
  { keys: '?', does: 'shows this' },
  { keys: '/', does: 'goes to the filter of the list' },
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
  addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
    if (dialogs.question.value !== null || dialogs.isHelpOpen.value || session.phase.value !== 'open') return;
    const isPair = Date.now() - state.goAtMs < PAIR_MS;
    state.goAtMs = 0;
    const screen = isPair ? SCREENS.find(({ key }) => key === event.key) : undefined;
    const action = screen === undefined ? actions[event.key] : () => router.go(screen.href);
    if (action === undefined) return;
    event.preventDefault();
    action();
  });
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
