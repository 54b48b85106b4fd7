import { compareEntryIds } from './entry-id.ts';

/**
 * "From entry id X, version N." The last route that covers an id decides. `heads` holds, per stream that existed when the
 * route was made, the last id that was in it: those entries stay with the route before. Streams not in `heads` are
 * wholly the route's.
 */
export interface Route {
  readonly version: number;
  readonly madeAtMs: number;
  readonly heads: Readonly<Record<string, string>>;
  /** `RegistrationSpec.index` in that version; left out = as in the registration's present spec. */
  readonly index?: number;
}

/** Most routes a registration keeps; beyond it entries of the oldest one go to the version after it. */
export const MAX_ROUTES = 16;

/** The route an entry belongs to. The first one covers everything, so that there always is an answer. */
export function routeOf(routes: readonly Route[], stream: string, entryId: string): Route | undefined {
  for (let i = routes.length - 1; i > 0; i -= 1) {
    const route = routes[i] as Route;
    if (covers(route, stream, entryId)) return route;
  }
  return routes[0];
}

/**
 * The version an entry runs on; undefined only without any route.
 * @param entryId canonical, as Redis writes ids.
 */
export function routeVersion(routes: readonly Route[], stream: string, entryId: string): number | undefined {
  return routeOf(routes, stream, entryId)?.version;
}

/**
 * Drops routes that decide nothing any more and joins neighbours of one version; no entry's version changes. Only what
 * exceeds `maxRoutes` changes something: the oldest routes go.
 */
export function compactRoutes(routes: readonly Route[], maxRoutes = MAX_ROUTES): readonly Route[] {
  const kept: Route[] = [];
  for (const route of routes) append(kept, route);
  const tail = kept.slice(-maxRoutes);
  const first = tail[0];
  // Heads of the first route are never looked at.
  if (first !== undefined) tail[0] = { ...first, heads: {} };
  return tail;
}

function append(kept: Route[], route: Route): void {
  let next = route;
  for (let last = kept.pop(); last !== undefined; last = kept.pop()) {
    const lastIsFirst = kept.length === 0;
    if (hides(next, last, lastIsFirst)) continue;
    if (sameTarget(last, next) && !lastIsFirst) {
      next = joined(last, next);
      continue;
    }
    kept.push(last);
    if (sameTarget(last, next)) return;
    break;
  }
  kept.push(next);
}

function covers(route: Route, stream: string, entryId: string): boolean {
  const head = headOf(route, stream);
  return head === undefined || compareEntryIds(entryId, head) > 0;
}

function headOf(route: Route, stream: string): string | undefined {
  return Object.hasOwn(route.heads, stream) ? route.heads[stream] : undefined;
}

/** True when the later route covers all that the earlier one covers. The first route covers everything. */
function hides(later: Route, earlier: Route, earlierIsFirst: boolean): boolean {
  const heads = Object.entries(later.heads);
  if (earlierIsFirst) return heads.length === 0;
  return heads.every(([stream, head]) => {
    const earlierHead = headOf(earlier, stream);
    return earlierHead !== undefined && compareEntryIds(head, earlierHead) <= 0;
  });
}

function sameTarget(a: Route, b: Route): boolean {
  return a.version === b.version && a.index === b.index;
}

/** Covers what either covers: only streams both of them leave something of keep a head, the lesser one. */
function joined(a: Route, b: Route): Route {
  const heads = Object.entries(a.heads).flatMap(([stream, head]) => {
    const other = headOf(b, stream);
    if (other === undefined) return [];
    return [[stream, compareEntryIds(head, other) <= 0 ? head : other] as const];
  });
  return { ...b, heads: Object.fromEntries(heads) };
}
