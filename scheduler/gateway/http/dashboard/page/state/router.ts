import { type ReadonlySignal, signal } from '@preact/signals';

/** Where the page is: `#/functions/orders?version=2` is path [functions, orders] and query version=2. */
export interface Place {
  readonly path: readonly string[];
  readonly query: Readonly<Record<string, string>>;
}

export interface Router {
  readonly place: ReadonlySignal<Place>;
  go(href: string): void;
}

export function parsePlace(hash: string): Place {
  const [path = '', query = ''] = hash.replace(/^#\/?/, '').split('?', 2);
  return {
    path: path.split('/').filter(Boolean).map(decodeSafely),
    query: Object.fromEntries(new URLSearchParams(query)),
  };
}

function decodeSafely(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** A link inside the page. */
export function placeHref(path: readonly (string | number)[], query: Readonly<Record<string, unknown>> = {}): string {
  const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== null && value !== '');
  const text = new URLSearchParams(given.map(([name, value]) => [name, String(value)])).toString();
  return `#/${path.map((part) => encodeURIComponent(String(part))).join('/')}${text === '' ? '' : `?${text}`}`;
}

export function createRouter(): Router {
  const place = signal(parsePlace(location.hash));
  addEventListener('hashchange', () => {
    place.value = parsePlace(location.hash);
  });
  return {
    place,
    go: (href) => {
      location.hash = href;
    },
  };
}
