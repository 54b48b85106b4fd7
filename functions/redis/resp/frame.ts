import { commandState, type FrameLimits, malformed, replyState, resume, type WalkState, walk } from './frame-walk.ts';

export type { FrameLimits } from './frame-walk.ts';

/** End of the complete reply (RESP2 or RESP3) that begins at `from`, or -1 when more is to come. Throws RESP_MALFORMED. */
export function replyEnd(text: string, from = 0): number {
  return walk(text, from, replyState(1));
}

/** End of so many complete replies, or -1. Throws RESP_MALFORMED. */
export function repliesEnd(text: string, from: number, replies: number): number {
  return replies === 0 ? from : walk(text, from, replyState(replies));
}

/** Number of complete replies or commands in a text. Throws RESP_MALFORMED when it ends within one. */
export function countFrames(text: string, endOf: (text: string, from: number) => number = replyEnd): number {
  let count = 0;
  for (let at = 0; at < text.length; count++) {
    at = endOf(text, at);
    if (at < 0) throw malformed('the text ends within a frame', text, text.length);
  }
  return count;
}

/** End of the complete command (array of bulk strings, at least one) at `from`, or -1. Throws RESP_MALFORMED. */
export function commandEnd(text: string, from = 0, limits?: FrameLimits): number {
  return walk(text, from, commandState(limits));
}

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
  /**
   * First words of the errors READONLY, LOADING, MASTERDOWN, UNBLOCKED, MOVED and CLUSTERDOWN seen since the last call, in any depth;
   * null when there was none.
   */
  notedErrors(): readonly string[] | null;
}

/** A framer for replies; `expect` sets how many of them make one frame. */
export function createReplyFramer(limits?: FrameLimits): ReplyFramer {
  let state = replyState(1, limits);
  const collected = createCollector(() => state);
  return {
    expect(replies) {
      state.remaining = replies;
    },
    notedErrors() {
      const { noted } = state;
      state.noted = null;
      return noted;
    },
    push(chunk, from = 0) {
      const end = collected.push(chunk, from);
      if (end >= 0) state = { ...replyState(1, limits), noted: state.noted };
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
