import { type Route, routeOf, timeOfId } from '#functions';
import { type ClaimedBatch, pickBatch, sliceBatch } from './batch.ts';
import type { ConsumedRegistration } from './registration.ts';

/** Entries of one batch that go to the same version. */
export interface RoutedPiece {
  readonly batch: ClaimedBatch;
  readonly version: number;
  /** `RegistrationSpec.index` in that version. */
  readonly registrationIndex: number;
}

/** What becomes of a batch before it runs: what is too old ends, the rest goes to the version its id belongs to. Pure. */
export function routeBatch(
  registration: ConsumedRegistration,
  batch: ClaimedBatch,
  nowMs: number,
): { readonly expired: readonly string[]; readonly pieces: readonly RoutedPiece[] } {
  const { expired, fresh } = partByAge(registration, batch, nowMs);
  return { expired, pieces: fresh.ids.length === 0 ? [] : piecesOf(registration, fresh) };
}

/** What of a batch is older than its registration allows, and the rest, which may be empty. */
export function partByAge(
  { trigger: { maxAgeMs } }: ConsumedRegistration,
  batch: ClaimedBatch,
  nowMs: number,
): { readonly expired: readonly string[]; readonly fresh: ClaimedBatch } {
  const fresh = maxAgeMs === null ? batch : freshOf(batch, nowMs - maxAgeMs);
  const expired = fresh === batch ? [] : batch.ids.filter((id) => timeOfId(id) < nowMs - (maxAgeMs ?? 0));
  return { expired, fresh };
}

function freshOf(batch: ClaimedBatch, oldestMs: number): ClaimedBatch {
  const fresh: number[] = [];
  for (let i = 0; i < batch.ids.length; i += 1) if (timeOfId(batch.ids[i] as string) >= oldestMs) fresh.push(i);
  return fresh.length === batch.ids.length ? batch : pickBatch(batch, fresh);
}

function piecesOf(registration: ConsumedRegistration, batch: ClaimedBatch): readonly RoutedPiece[] {
  const { active } = registration;
  const { routes } = active;
  const newest = routes.at(-1);
  const pieceOf = (part: ClaimedBatch, route: Route | undefined): RoutedPiece => ({
    batch: part,
    version: route?.version ?? active.version,
    registrationIndex: route?.index ?? active.spec.index,
  });
  const routeAt = (index: number): Route | undefined => routeOf(routes, batch.stream, batch.ids[index] as string);
  // Ids ascend: what the newest route begins with, it covers to the end. True of nearly every batch.
  if (routes.length < 2 || routeAt(0) === newest) return [pieceOf(batch, newest)];
  const pieces: RoutedPiece[] = [];
  let from = 0;
  let route = routeAt(0);
  for (let i = 1; i <= batch.ids.length; i += 1) {
    const next = i < batch.ids.length ? routeAt(i) : undefined;
    if (i < batch.ids.length && next === route) continue;
    pieces.push(pieceOf(sliceBatch(batch, from, i), route));
    from = i;
    route = next;
  }
  return pieces;
}
