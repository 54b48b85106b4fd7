import { type Signal, signal } from '@preact/signals';

/** What a screen hands to the console: the event to try. */
export interface Draft {
  readonly entry: Signal<{ readonly stream: string; readonly fields: readonly (readonly [string, string])[] } | null>;
}

export function createDraft(): Draft {
  return { entry: signal(null) };
}
