import type { ComponentChildren, JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';

export interface ScreenProps {
  readonly title: string;
  /** The way back, for a screen below a list. */
  readonly parent?: { readonly href: string; readonly name: string };
  readonly lead?: ComponentChildren;
  readonly tools?: ComponentChildren;
  readonly children: ComponentChildren;
}

/** The frame of every screen: its heading takes the focus, so that a keyboard goes on there. */
export function Screen({ title, parent, lead, tools, children }: ScreenProps): JSX.Element {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `${title} · ReGears`;
  }, [title]);
  useEffect(() => {
    scrollTo(0, 0);
    heading.current?.focus({ preventScroll: true });
  }, []);
  return (
    <>
      <header class="screen-head">
        <div>
          {parent === undefined ? null : (
            <a class="back" href={parent.href}>
              <span aria-hidden="true">‹ </span>
              {parent.name}
            </a>
          )}
          <h1 ref={heading} tabIndex={-1}>
            {title}
          </h1>
          {lead === undefined ? null : <div class="lead">{lead}</div>}
        </div>
        {tools === undefined ? null : <div class="tools">{tools}</div>}
      </header>
      {children}
    </>
  );
}

export interface TabsProps {
  readonly label: string;
  readonly current: string;
  readonly tabs: readonly { readonly id: string; readonly name: string; readonly href: string }[];
}

/** Views of one thing, each with an address of its own. */
export function Tabs({ label, current, tabs }: TabsProps): JSX.Element {
  return (
    <nav class="tabs" aria-label={label}>
      {tabs.map(({ id, name, href }) => (
        <a key={id} href={href} aria-current={id === current ? 'page' : undefined}>
          {name}
        </a>
      ))}
    </nav>
  );
}
