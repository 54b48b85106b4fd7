import { EntryMarks } from './entry-marks.ts';
import { commandState, type FrameLimits, replyState, resume, type WalkState } from './frame-walk.ts';
import { type StreamBatch, splitStreamReply } from './stream-reply.ts';

/**
 * Frames text that comes in chunks. Nothing is looked at twice and chunks are joined once, when the frame is complete,
 * so that a frame of many megabytes costs no more per byte than a small one.
 */
export interface Framer {
  /**
   * Reads `chunk` from `from` on. Returns where in it the frame ended, and then `text` is the whole frame; -1 when all of
   * the chunk belongs to a frame that is not complete. Throws RESP_MALFORMED; the framer is of no use after that.
   */
  push(chunk: string, from?: number): number;
  /** Text of the frame that ended last. */
  readonly text: string;
  /** Bytes held of a frame that is not complete. */
  readonly pendingBytes: number;
}

export interface ReplyFramer extends Framer {
  /** How many replies the next frame is made of; 1 until told otherwise. To be called between two frames. */
  expect(replies: number): void;
  /** The next frame is the reply to one XREADGROUP or XREAD. To be called between two frames. */
  expectStreams(): void;
  /**
   * Streams of the frame that ended last, found while it was framed. Throws as `splitStreamReply`. To be called once, and only
   * after `expectStreams`.
   */
  streams(): readonly StreamBatch[];
  /**
   * First words of the errors READONLY, LOADING, MASTERDOWN, UNBLOCKED, MOVED and CLUSTERDOWN seen since the last call, in any depth;
   * null when there was none.
   */
  notedErrors(): readonly string[] | null;
}

/** A framer for replies; `expect` sets how many of them make one frame. */
export function createReplyFramer(limits?: FrameLimits): ReplyFramer {
  let state = replyState(1, limits);
  let marks: EntryMarks | null = null;
  const collected = createCollector(() => state);
  return {
    expect(replies) {
      state.remaining = replies;
    },
    expectStreams() {
      state.remaining = 1;
      state.marks = new EntryMarks();
    },
    streams() {
      const text = collected.text();
      return marks?.split(text) ?? splitStreamReply(text);
    },
    notedErrors() {
      const { noted } = state;
      state.noted = null;
      return noted;
    },
    push(chunk, from = 0) {
      if (state.marks !== null) state.marks.base = collected.pendingBytes() - from;
      const end = collected.push(chunk, from);
      if (end < 0) return end;
      marks = state.marks;
      state = { ...replyState(1, limits), noted: state.noted };
      return end;
    },
    get text() {
      return collected.text();
    },
    get pendingBytes() {
      return collected.pendingBytes();
    },
  };
}

/** A framer for commands (arrays of bulk strings), one command per frame. */
export function createCommandFramer(limits?: FrameLimits): Framer {
  let state = commandState(limits);
  const collected = createCollector(() => state);
  return {
    push(chunk, from = 0) {
      const end = collected.push(chunk, from);
      if (end >= 0) state = commandState(limits);
      return end;
    },
    get text() {
      return collected.text();
    },
    get pendingBytes() {
      return collected.pendingBytes();
    },
  };
}

function createCollector(stateOf: () => WalkState) {
  let parts: string[] = [];
  let bytes = 0;
  let text = '';
  return {
    push(chunk: string, from: number): number {
      const end = resume(chunk, from, stateOf());
      if (end < 0) {
        if (from < chunk.length) parts.push(from === 0 ? chunk : chunk.slice(from));
        bytes += chunk.length - from;
        return -1;
      }
      const last = from === 0 && end === chunk.length ? chunk : chunk.slice(from, end);
      if (parts.length === 0) text = last;
      else {
        parts.push(last);
        text = parts.join('');
        parts = [];
        bytes = 0;
      }
      return end;
    },
    text: () => text,
    pendingBytes: () => bytes,
  };
}
