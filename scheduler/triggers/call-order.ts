import type { ActiveRegistration } from '#functions';

/** Calls of one key run one after another in the fleet, those of different keys side by side. */
export function isKeyed({ spec }: ActiveRegistration): boolean {
  return spec.flow?.keyed === true;
}

/** Strict arrival order: mode `sync` always, `async_local` with `inorder`; with a `key` it is that of the key. */
export function isOrdered(registration: ActiveRegistration): boolean {
  const { spec } = registration;
  if (isKeyed(registration)) return false;
  return (
    spec.mode === 'sync' ||
    (spec.mode === 'async_local' && spec.trigger.kind === 'command' && spec.trigger.inorder) ||
    (spec.trigger.kind === 'hook' && spec.trigger.inorder)
  );
}
