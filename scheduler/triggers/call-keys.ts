import { createHash } from 'node:crypto';
import { PlatformError } from '#functions';
import type { EndedEntries } from '#runtime';
import type { SchedulerErrorCode } from '../errors.ts';
import type { Permit, Permits } from '../fleet/fleet.ts';

/** The keys that the calls of one batch hold: of each key one call in the fleet is in work. */
export interface CallKeys {
  /** Resolves when the call has its key. SLOT_LOST when there is none to be had on this node now. */
  take(entry: number, key: string, signal: AbortSignal): Promise<void>;
  /** What has ended gives its keys back. */
  ended(ended: EndedEntries): void;
  /** All of them are given back; what follows is another run of what is left. */
  releaseAll(): void;
  /** Aborted when this node could have been declared dead: others may have the keys. */
  readonly lost: AbortSignal;
}

export interface CallKeysOptions {
  readonly permits: Permits;
  readonly registrationId: string;
}

const ONE = (): number => 1;
/** A key may be any text; its permit has a name of this length. */
const NAME_LENGTH = 32;

export function createCallKeys(options: CallKeysOptions): CallKeys {
  return new HeldKeys(options);
}

class HeldKeys implements CallKeys {
  readonly #options: CallKeysOptions;
  readonly #lost = new AbortController();
  readonly #held = new Map<number, Permit>();

  constructor(options: CallKeysOptions) {
    this.#options = options;
  }

  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  async take(entry: number, key: string, signal: AbortSignal): Promise<void> {
    const { permits, registrationId } = this.#options;
    const name = createHash('sha256').update(key).digest('hex').slice(0, NAME_LENGTH);
    const permit = await permits.take({ registrationId: `${registrationId}#${name}`, limit: ONE, wanted: 1, signal });
    if (permit !== null && !signal.aborted) {
      this.#held.set(entry, permit);
      permit.signal.addEventListener('abort', () => this.#lost.abort(permit.signal.reason), { once: true });
      return;
    }
    permit?.release();
    const text = 'the call ended, or its node stopped, before the call had its key';
    throw new PlatformError<SchedulerErrorCode>('SLOT_LOST', text, { retryable: true });
  }

  ended({ done, filtered, failed }: EndedEntries): void {
    if (this.#held.size === 0) return;
    for (let i = 0; i < done.length; i += 1) this.#release(done[i] as number);
    for (let i = 0; i < filtered.length; i += 1) this.#release(filtered[i] as number);
    for (const { index } of failed) this.#release(index);
  }

  releaseAll(): void {
    for (const entry of [...this.#held.keys()]) this.#release(entry);
  }

  #release(entry: number): void {
    this.#held.get(entry)?.release();
    this.#held.delete(entry);
  }
}
