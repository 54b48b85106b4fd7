import { PlatformError } from '#functions';
import type { RuntimeErrorCode } from '../errors.ts';

/**
 * Where each entry of a batch stands. `open`: no end yet. `held`: the guest is done with it, but commands of it are still on
 * their way, so nobody has been told. `ended`: reported. `givenUp`: reported by the node itself; the guest may not
 * know yet, and what it still says about the entry is not listened to.
 */
export const Standing = { open: 0, ended: 1, givenUp: 2, held: 3 } as const;

/** Counts and checks the ends of a batch; every entry has exactly one. */
export class EntryLedger {
  readonly size: number;
  readonly #standing: Uint8Array;
  /** Entries that nobody has been told an end of. */
  #unreported: number;
  #givenUp = 0;

  constructor(size: number) {
    this.size = size;
    this.#standing = new Uint8Array(size);
    this.#unreported = size;
  }

  get unreported(): number {
    return this.#unreported;
  }

  get hasGivenUp(): boolean {
    return this.#givenUp > 0;
  }

  isOpen(position: number): boolean {
    return this.#standing[position] === Standing.open;
  }

  isHeld(position: number): boolean {
    return this.#standing[position] === Standing.held;
  }

  isGivenUp(position: number): boolean {
    return this.#standing[position] === Standing.givenUp;
  }

  /**
   * The guest is done with these: they are held. False when some had been given up before. Throws SANDBOX_PROTOCOL for a
   * position that is none or has ended before: an end can be neither forged nor doubled.
   */
  hold(positions: ArrayLike<number>): boolean {
    const standing = this.#standing;
    let clean = true;
    for (let index = 0; index < positions.length; index += 1) {
      const position = positions[index] ?? -1;
      const before = standing[position];
      if (before === Standing.open) standing[position] = Standing.held;
      else if (before === Standing.givenUp) clean = false;
      else throw forged(position, this.size);
    }
    return clean;
  }

  /** Reports held entries; those given up meanwhile stay what they are. */
  end(positions: ArrayLike<number>): void {
    for (let index = 0; index < positions.length; index += 1) {
      const position = positions[index] ?? -1;
      if (this.#standing[position] !== Standing.held) continue;
      this.#standing[position] = Standing.ended;
      this.#unreported -= 1;
    }
  }

  /** The node ends an entry that is open or held. False when it has an end already. */
  giveUp(position: number): boolean {
    const before = this.#standing[position];
    if (before !== Standing.open && before !== Standing.held) return false;
    this.#standing[position] = Standing.givenUp;
    this.#unreported -= 1;
    this.#givenUp += 1;
    return true;
  }

  /** Positions below `end` that are open; held ones too if asked for. */
  unended(end = this.size, withHeld = true): number[] {
    const found: number[] = [];
    for (let position = 0; position < end; position += 1) {
      const standing = this.#standing[position];
      if (standing === Standing.open || (withHeld && standing === Standing.held)) found.push(position);
    }
    return found;
  }
}

function forged(position: number, size: number): PlatformError<RuntimeErrorCode> {
  const what = position < size ? 'it has ended before' : `the batch has ${size}`;
  return new PlatformError('SANDBOX_PROTOCOL', `the sandbox reported an end of entry ${position}, but ${what}`);
}
