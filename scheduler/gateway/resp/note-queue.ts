import { encodeCommand } from '#functions';
import type { Noted } from './connection-state.ts';

/** A command whose reply is looked at when it comes. */
export interface Note extends Noted {
  /** Which reply, counted from the first. */
  readonly at: number;
  /** Confirmations still to come, for pub/sub commands; undefined before the first. */
  left?: number;
  /** The reply goes here and not to the client. */
  readonly answered?: (reply: string) => void;
  /** `answered` wants all of the reply, not its beginning. */
  readonly isWhole?: boolean;
  /** Error line that takes the place of Redis's own. */
  readonly replacement?: string;
}

/** Counts what was sent and what was answered, and knows which of it is looked at. */
export class NoteQueue {
  sent = 0;
  received = 0;
  #notes: Note[] = [];
  #first = 0;

  get outstanding(): number {
    return this.sent - this.received;
  }

  add(noted: Noted, how: Pick<Note, 'answered' | 'isWhole' | 'replacement'> = {}): void {
    this.sent += 1;
    this.#notes.push({ ...noted, ...how, at: this.sent });
  }

  /** The note of the reply that comes next, if it has one. */
  next(): Note | undefined {
    const note = this.#notes[this.#first];
    return note !== undefined && note.at === this.received + 1 ? note : undefined;
  }

  /** The oldest outstanding command has its whole answer. */
  answered(): void {
    if (this.next() !== undefined) this.#first += 1;
    if (this.#first === this.#notes.length) {
      this.#notes.length = 0;
      this.#first = 0;
    } else if (this.#first > 512) {
      this.#notes = this.#notes.slice(this.#first);
      this.#first = 0;
    }
    this.received += 1;
  }
}

/** True when the client must not see Redis's reply as it is. */
export function isInternal(note: Note | undefined): boolean {
  return note?.answered !== undefined || note?.replacement !== undefined;
}

function isReplyModeChange({ word, args }: Noted): boolean {
  return word === 'client' && args[1]?.toLowerCase() === 'reply';
}

/**
 * True for CLIENT REPLY OFF and SKIP. The door leaves replies out itself and sends `REPLY_ON` instead, which asks for the
 * same permission: replies that Redis leaves out could not be counted.
 */
export function leavesRepliesOut(noted: Noted): boolean {
  const mode = noted.args[2]?.toLowerCase();
  return isReplyModeChange(noted) && noted.args.length === 3 && (mode === 'off' || mode === 'skip');
}

export const REPLY_ON = encodeCommand(['CLIENT', 'REPLY', 'ON']);
