import type { Socket } from 'node:net';
import type { Endpoint } from '#functions';
import { isSubscription, type Word } from './command-words.ts';
import { isInternal, leavesRepliesOut, type Note, NoteQueue, REPLY_ON } from './note-queue.ts';
import { LOST, notableArguments, openSocket, type Passage, type PassageHost, UNREACHABLE } from './passage.ts';
import { ReplyFramer } from './reply-framer.ts';
import type { RequestFramer } from './request-framer.ts';

const PUSH = 62;
const HEAD_BYTES = 4_096;
const CONFIRMATION_BYTES = 64 * 1024;

/**
 * The way to one server: requests go out as they came, all of a chunk in one write, and replies come back as they are.
 * Replies are framed only to count them; the few that tell something about the connection are looked at.
 */
export class SinglePassage implements Passage {
  /** One connection keeps the order by itself. */
  readonly isSettling = false;
  readonly #host: PassageHost;
  readonly #endpoint: () => Endpoint;
  #socket: Socket | null = null;
  #wasConnected = false;
  #framer = new ReplyFramer();
  readonly #notes = new NoteQueue();
  /** The part of the framer's bytes that leaves with the next flush. */
  #run: { bytes: Buffer; start: number; end: number } | null = null;
  #isMidRequest = false;
  #isClosed = false;
  /** Of the reply that is being read: is it looked at, is it kept back until it is whole. */
  #isWatched = false;
  #isHeld = false;
  #head = '';
  #headBytes = HEAD_BYTES;
  /** Where the bytes of the present chunk begin that have not been passed on. */
  #from = 0;
  #heldBytes: Buffer[] = [];
  #afterwards: (() => void)[] = [];

  constructor(host: PassageHost, endpoint: () => Endpoint) {
    this.#host = host;
    this.#endpoint = endpoint;
  }

  get outstanding(): number {
    return this.#notes.outstanding;
  }

  forward(framer: RequestFramer, word: Word): void {
    this.#open();
    if (word === 'plain') {
      this.#notes.sent += 1;
      this.#extendRun(framer, framer.end);
      return;
    }
    const noted = { word, args: notableArguments(framer, word) };
    this.#notes.add(noted);
    if (word === 'sync' || word === 'psync') this.#host.state.isRaw = true;
    if (!leavesRepliesOut(noted)) {
      this.#extendRun(framer, framer.end);
      return;
    }
    this.flush();
    this.#send(REPLY_ON);
  }

  forwardPart(framer: RequestFramer, isFirst: boolean): boolean {
    this.#open();
    this.flush();
    const part = framer.takePart();
    if (part === null) return true;
    if (isFirst) this.#notes.sent += 1;
    this.#isMidRequest = true;
    this.#send(part);
    return true;
  }

  forwardRest(framer: RequestFramer): void {
    this.#isMidRequest = false;
    this.#extendRun(framer, framer.end);
  }

  refuse(framer: RequestFramer, error: string): void {
    this.#open();
    this.#notes.add({ word: 'plain', args: [] }, { replacement: `-${error}\r\n` });
    this.#extendRun(framer, framer.end);
  }

  flush(): void {
    const run = this.#run;
    this.#run = null;
    if (run !== null) this.#send(run.bytes.subarray(run.start, run.end));
  }

  ask(command: string, answered: (reply: string) => void, args?: readonly string[]): void {
    this.#open();
    this.flush();
    this.#notes.add({ word: 'plain', args: [] }, { answered, isWhole: args !== undefined });
    this.#send(command);
  }

  relay(chunk: Buffer): void {
    this.#send(chunk);
  }

  resume(): void {
    this.#socket?.resume();
  }

  close(): void {
    this.#isClosed = true;
    this.#socket?.destroy();
  }

  #extendRun(framer: RequestFramer, end: number): void {
    if (this.#run !== null && this.#run.bytes === framer.bytes && this.#run.end === framer.start) {
      this.#run.end = end;
      return;
    }
    this.flush();
    this.#run = { bytes: framer.bytes, start: framer.start, end };
  }

  #send(data: Buffer | string): void {
    const socket = this.#socket;
    if (socket === null) return;
    const hasRoom = typeof data === 'string' ? socket.write(data, 'latin1') : socket.write(data);
    if (!hasRoom) this.#host.onUpstreamFull(true);
  }

  #open(): void {
    if (this.#socket !== null || this.#isClosed) return;
    const socket = openSocket(this.#endpoint());
    this.#socket = socket;
    this.#wasConnected = false;
    socket.once('connect', () => {
      this.#wasConnected = true;
    });
    socket.on('data', (chunk) => this.#onData(chunk));
    socket.on('drain', () => this.#host.onUpstreamFull(false));
    // `close` follows.
    socket.on('error', () => {});
    socket.on('end', () => socket.destroy());
    socket.on('close', () => this.#onClose(socket));
    for (const command of this.#host.state.replay()) {
      this.#notes.add({ word: 'plain', args: [] }, { answered: (reply) => this.#onReplayed(command, reply) });
      this.#send(command);
    }
  }

  #onReplayed(command: string, reply: string): void {
    // In another protocol than the client believes, no reply would mean what it says.
    const wasAsked = reply !== LOST && reply !== UNREACHABLE;
    if (wasAsked && reply.startsWith('-') && command.includes('HELLO')) this.#host.end();
  }

  #onData(chunk: Buffer): void {
    if (this.#host.state.isRaw) {
      this.#relay(chunk, 0, chunk.length);
      return;
    }
    try {
      this.#readReplies(chunk);
    } catch {
      // Not RESP: nobody knows any more which bytes answer what.
      this.close();
      this.#host.end();
      return;
    }
    const afterwards = this.#afterwards;
    if (afterwards.length > 0) this.#afterwards = [];
    for (const call of afterwards) call();
    if (this.outstanding === 0) this.#host.onIdle();
  }

  #readReplies(chunk: Buffer): void {
    this.#from = 0;
    let at = 0;
    while (at < chunk.length) {
      if (this.#framer.idle) this.#beginReply(chunk[at] as number);
      const end = this.#framer.advance(chunk, at);
      const stop = end < 0 ? chunk.length : end;
      if (this.#isWatched) this.#watch(chunk, at, stop);
      at = stop;
      if (end < 0) break;
      if (this.#isWatched) this.#finishWatched();
      else this.#notes.received += 1;
    }
    this.#relay(chunk, this.#from, chunk.length);
  }

  #relay(chunk: Buffer, start: number, end: number): void {
    if (start < end) this.#toClient(chunk.subarray(start, end));
  }

  #toClient(data: Buffer | string): void {
    if (!this.#host.write(data)) this.#socket?.pause();
  }

  #beginReply(first: number): void {
    const { state } = this.#host;
    const note = this.#notes.next();
    const isQuiet = state.replyMode !== 'on';
    this.#isWatched = note !== undefined || first === PUSH || isQuiet || state.hasStrayFrames;
    if (!this.#isWatched) return;
    this.#head = '';
    this.#isHeld = isQuiet || note?.word === 'client' || isInternal(note);
    this.#headBytes = note !== undefined && isSubscription(note.word) ? CONFIRMATION_BYTES : HEAD_BYTES;
    if (note?.isWhole) this.#headBytes = Number.POSITIVE_INFINITY;
  }

  #watch(chunk: Buffer, at: number, stop: number): void {
    const room = this.#headBytes - this.#head.length;
    if (room > 0) this.#head += chunk.toString('latin1', at, Math.min(stop, at + room));
    if (!this.#isHeld) return;
    this.#relay(chunk, this.#from, at);
    this.#from = stop;
    this.#heldBytes.push(chunk.subarray(at, stop));
  }

  /** A watched reply is complete: whose is it, what does it say, may the client see it? */
  #finishWatched(): void {
    const { state } = this.#host;
    const note = this.#notes.next();
    if (note !== undefined && this.#isConfirmation(note)) {
      if (note.left === 0) this.#notes.answered();
      this.#release(null);
    } else if (state.isStray(this.#head)) {
      state.confirm(undefined, this.#head);
      this.#release(null);
    } else if (note?.answered) {
      const head = this.#head;
      this.#afterwards.push(() => note.answered?.(head));
      this.#notes.answered();
      this.#release('');
    } else {
      this.#notes.answered();
      this.#release(this.#settle(note));
    }
  }

  #isConfirmation(note: Note): boolean {
    if (!isSubscription(note.word) || this.#head.startsWith('-') || this.#head.startsWith('+')) return false;
    const { state } = this.#host;
    note.left ??= state.confirmations(note);
    if (!state.confirm(note, this.#head)) return false;
    note.left -= 1;
    return true;
  }

  /** Takes a reply into account; returns what the client sees instead, null = the reply itself. */
  #settle(note: Note | undefined): string | null {
    const { state } = this.#host;
    if (state.settleHidden(note, this.#head)) return '';
    return this.#head.startsWith('-') ? (note?.replacement ?? null) : null;
  }

  /** Ends a watched reply: as it came (null), or with another text. */
  #release(instead: string | null): void {
    const held = this.#heldBytes;
    if (held.length > 0) this.#heldBytes = [];
    if (instead === null) for (const bytes of held) this.#toClient(bytes);
    else if (instead !== '') this.#toClient(instead);
  }

  #onClose(socket: Socket): void {
    if (this.#socket !== socket || this.#isClosed) return;
    const { state } = this.#host;
    const isMidReply = !this.#framer.idle && !(this.#isWatched && this.#isHeld);
    const cannotGoOn = state.irreplaceable || isMidReply || this.#isMidRequest;
    const error = this.#wasConnected ? LOST : UNREACHABLE;
    this.#socket = null;
    this.#run = null;
    this.#framer = new ReplyFramer();
    state.user = null;
    this.#host.onUpstreamFull(false);
    if (cannotGoOn) {
      this.#host.end();
      return;
    }
    const questions = this.#giveUp(error);
    for (const note of questions) note.answered?.(error);
    this.#host.onIdle();
  }

  /** Answers everything outstanding with an error; returns the questions of our own among it. */
  #giveUp(error: string): readonly Note[] {
    const own: Note[] = [];
    const isQuiet = this.#host.state.replyMode === 'off';
    while (this.outstanding > 0) {
      const note = this.#notes.next();
      if (note?.answered) own.push(note);
      else if (!isQuiet) this.#toClient(error);
      this.#notes.answered();
    }
    this.#heldBytes = [];
    return own;
  }
}
