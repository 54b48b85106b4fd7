import { PlatformError } from '#functions';
import type { RuntimeErrorCode } from '../errors.ts';

export interface OpenAsk {
  /** Aborted when the entry has ended before the answer. */
  readonly signal: AbortSignal;
  /** It has been answered. */
  end(): void;
}

/** What the entries of a batch wait for, so that none of it outlives its entry. */
export class OpenAsks {
  readonly #open = new Map<number, Set<AbortController>>();

  begin(entry: number): OpenAsk {
    const controller = new AbortController();
    const asks = this.#open.get(entry) ?? new Set();
    this.#open.set(entry, asks.add(controller));
    return {
      signal: controller.signal,
      end: () => {
        asks.delete(controller);
        if (asks.size === 0) this.#open.delete(entry);
      },
    };
  }

  /** Ends what entries that have ended still wait for. */
  sweep(isOpen: (entry: number) => boolean): void {
    for (const [entry, asks] of this.#open) {
      if (isOpen(entry)) continue;
      this.#open.delete(entry);
      for (const controller of asks) controller.abort(ended());
    }
  }
}

function ended(): PlatformError<RuntimeErrorCode> {
  return new PlatformError('RUNTIME_CLOSED', 'the event that waited for it has ended');
}
