import { commandState, type FrameLimits, malformed, replyState, walk } from './frame-walk.ts';

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
