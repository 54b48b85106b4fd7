import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { useApp } from '../state/app.ts';
import { SCREENS } from '../state/screen-list.ts';
import { count } from '../text/format.ts';

/** The screens. Those with something to look at have a number beside them. */
export function Menu(): JSX.Element {
  const { router, feed } = useApp();
  const current = router.place.value.path[0] ?? '';
  const list = useRef<HTMLUListElement>(null);
  useEffect(() => {
    list.current?.querySelector('[aria-current]')?.scrollIntoView({ block: 'nearest', inline: 'center' });
  }, [current]);
  const overview = feed.overview.value;
  const failing = overview?.registrations.failing ?? 0;
  const numbers: Readonly<Record<string, readonly [number, string]>> = {
    registrations: [failing, `${failing} failing`],
    'dead-letters': [overview?.deadLetters ?? 0, `${overview?.deadLetters ?? 0} dead letters`],
    executions: [overview?.executionsRunning ?? 0, `${overview?.executionsRunning ?? 0} running`],
  };
  return (
    <nav class="menu" aria-label="Screens">
      <ul ref={list}>
        {SCREENS.map(({ id, name, href }) => {
          const [number, words] = numbers[id] ?? [0, ''];
          return (
            <li key={id}>
              <a href={href} aria-current={id === current ? 'page' : undefined}>
                {name}
                {number === 0 ? null : (
                  <span class={id === 'executions' ? 'number-mark' : 'number-mark number-mark-bad'} title={words}>
                    {count(number)}
                  </span>
                )}
              </a>
            </li>
          );
        })}
      </ul>
    </nav>
  );
}
