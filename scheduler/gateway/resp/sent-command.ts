import type { Noted } from './connection-state.ts';

/** A command under way to a shard. */
export interface Sent extends Noted {
  readonly bytes: Buffer | string;
  /** Its place among the replies; null = nobody waits for the reply. */
  readonly place: number | null;
  readonly redirects: number;
  readonly answered?: (reply: string) => void;
  /** `answered` wants all of the reply, from wherever the command has to go. */
  readonly isWhole?: boolean;
  /** Its reply is one of several that make the client's; it goes here, whole. */
  readonly gathered?: (reply: Buffer) => void;
  /** Later commands wait for it. */
  readonly isSettling?: boolean;
  /** Pub/sub: confirmations so far and still to come. */
  left?: number;
  confirmed?: Buffer[];
}

/** A command of which nobody sees the reply. */
export function unseen(bytes: Buffer | string): Sent {
  return { word: 'plain', args: [], bytes, place: null, redirects: 0 };
}
