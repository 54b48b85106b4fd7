import { type Frame, ProtocolError } from './frames.ts';

/** Of `replies` (round), `session` (session) and others: what stands in front of the text. */
export function decodeNumber(frame: Frame): number {
  if (frame.body.length < 4) throw new ProtocolError('A frame without its number.');
  return frame.body.readUInt32LE(0);
}

/** `replies` (number = round), `session` (number = session) and `unload` (number = handle, no text). */
export function decodeNumberAndText(frame: Frame): { readonly number: number; readonly text: string } {
  return { number: decodeNumber(frame), text: frame.body.toString('latin1', 4) };
}
