/**
 * Encoding and decoding of the frames of messages.ts, for both sides. Texts travel as latin1, JSON as utf8, numbers as
 * u32le. Decoding checks every length against the body before it reads: a hostile frame is a ProtocolError
 * (SANDBOX_PROTOCOL), never a read beyond the frame.
 */
import { endianness } from 'node:os';
import type { Frame } from './frame-reader.ts';
import { FRAME_HEADER_BYTES } from './frame-reader.ts';
import type { GuestErrorReport, LoadedReport, LoadRequest, Progress, RunHeader } from './messages.ts';
import { FromSandbox, ToSandbox } from './messages.ts';
import { readErrorReport, readLoaded, readNotes } from './notes.ts';
import { ProtocolError } from './protocol-error.ts';

export type { Frame, FrameReader, FrameReaderOptions } from './frame-reader.ts';
export { createFrameReader } from './frame-reader.ts';
export { ProtocolError } from './protocol-error.ts';

const RUN_NUMBERS = 9;
const SWAP = endianness() === 'BE';
const NONE = new Uint32Array(0);

/** Texts of a `run` frame, latin1. */
export interface RunTexts {
  readonly key: string;
  readonly hashtag: string;
  readonly payload: string;
}

interface FrameHead {
  readonly type: number;
  readonly batch: number;
}

function frameOf(head: FrameHead, bodyBytes: number): Buffer {
  const frame = Buffer.allocUnsafe(FRAME_HEADER_BYTES + bodyBytes);
  frame.writeUInt32LE(FRAME_HEADER_BYTES - 4 + bodyBytes, 0);
  frame.writeUInt8(head.type, 4);
  frame.writeUInt32LE(head.batch, 5);
  return frame;
}

export function jsonFrame(head: FrameHead, value: unknown): Buffer {
  const text = JSON.stringify(value);
  const frame = frameOf(head, Buffer.byteLength(text, 'utf8'));
  frame.write(text, FRAME_HEADER_BYTES, 'utf8');
  return frame;
}

export function numberAndText(head: FrameHead, number: number, text: string): Buffer {
  const frame = frameOf(head, 4 + text.length);
  frame.writeUInt32LE(number, FRAME_HEADER_BYTES);
  frame.write(text, FRAME_HEADER_BYTES + 4, 'latin1');
  return frame;
}

/** Up to so many numbers are moved one by one: a view of them costs more. */
const FEW = 24;

function writeNumbers(frame: Buffer, numbers: Uint32Array, offset: number): void {
  if (numbers.length <= FEW) {
    for (let i = 0; i < numbers.length; i++) frame.writeUInt32LE(numbers[i] as number, offset + i * 4);
    return;
  }
  const bytes = Buffer.from(numbers.buffer, numbers.byteOffset, numbers.byteLength);
  frame.set(bytes, offset);
  if (SWAP) frame.subarray(offset, offset + bytes.length).swap32();
}

function readNumbers(body: Buffer, offset: number, count: number): Uint32Array {
  if (count === 0) return NONE;
  const numbers = new Uint32Array(count);
  if (count <= FEW && offset + count * 4 <= body.length) {
    for (let i = 0; i < count; i++) numbers[i] = body.readUInt32LE(offset + i * 4);
    return numbers;
  }
  const bytes = Buffer.from(numbers.buffer);
  body.copy(bytes, 0, offset, offset + count * 4);
  if (SWAP) bytes.swap32();
  return numbers;
}

// Node → sandbox

/** @param guest the compiled guest runtime. */
export function encodeBoot(guest: string): Buffer {
  const frame = frameOf({ type: ToSandbox.boot, batch: 0 }, Buffer.byteLength(guest, 'utf8'));
  frame.write(guest, FRAME_HEADER_BYTES, 'utf8');
  return frame;
}

/** `batch` is repeated in the answer, here and everywhere. */
export function encodeLoad(batch: number, request: LoadRequest): Buffer {
  return jsonFrame({ type: ToSandbox.load, batch }, request);
}

export function encodeUnload(batch: number, handle: number): Buffer {
  return numberAndText({ type: ToSandbox.unload, batch }, handle, '');
}

export function encodeRun(batch: number, header: RunHeader, texts: RunTexts): Buffer {
  const { key, hashtag, payload } = texts;
  const textOffset = FRAME_HEADER_BYTES + RUN_NUMBERS * 4;
  const frame = frameOf({ type: ToSandbox.run, batch }, RUN_NUMBERS * 4 + key.length + hashtag.length + payload.length);
  const numbers = Uint32Array.of(
    header.handle,
    header.registrationIndex,
    header.shape,
    header.ordered,
    header.wantResults,
    header.executionSize,
    header.entryCount,
    key.length,
    hashtag.length,
  );
  writeNumbers(frame, numbers, FRAME_HEADER_BYTES);
  frame.write(key, textOffset, 'latin1');
  frame.write(hashtag, textOffset + key.length, 'latin1');
  frame.write(payload, textOffset + key.length + hashtag.length, 'latin1');
  return frame;
}

/** @param replies RESP text of all replies of the round, in the order of its commands. */
export function encodeReplies(batch: number, round: number, replies: string): Buffer {
  return numberAndText({ type: ToSandbox.replies, batch }, round, replies);
}

/** @param reply RESP text of exactly one reply. */
export function encodeSession(batch: number, session: number, reply: string): Buffer {
  return numberAndText({ type: ToSandbox.session, batch }, session, reply);
}

export function encodeCancel(batch: number, positions: ArrayLike<number>): Buffer {
  const frame = frameOf({ type: ToSandbox.cancel, batch }, 4 + positions.length * 4);
  frame.writeUInt32LE(positions.length, FRAME_HEADER_BYTES);
  writeNumbers(frame, Uint32Array.from(positions), FRAME_HEADER_BYTES + 4);
  return frame;
}

export function encodePing(batch: number): Buffer {
  return frameOf({ type: ToSandbox.ping, batch }, 0);
}

/** What a `run` frame says. */
export interface RunMessage extends Omit<RunTexts, 'payload'> {
  readonly header: RunHeader;
  /** A view of the frame. */
  readonly payload: Buffer;
}

export function decodeRun(frame: Frame): RunMessage {
  const { body } = frame;
  const textOffset = RUN_NUMBERS * 4;
  if (body.length < textOffset) throw new ProtocolError('A run frame is too short.');
  const numbers = readNumbers(body, 0, RUN_NUMBERS);
  const at = (index: number): number => numbers[index] ?? 0;
  const keyEnd = textOffset + at(7);
  const hashtagEnd = keyEnd + at(8);
  if (hashtagEnd > body.length) throw new ProtocolError('The texts of a run frame are longer than the frame.');
  return {
    header: {
      handle: at(0),
      registrationIndex: at(1),
      shape: at(2),
      ordered: at(3),
      wantResults: at(4),
      executionSize: at(5),
      entryCount: at(6),
    },
    key: body.toString('latin1', textOffset, keyEnd),
    hashtag: body.toString('latin1', keyEnd, hashtagEnd),
    payload: body.subarray(hashtagEnd),
  };
}

export function decodeCancel(frame: Frame): Uint32Array {
  const { body } = frame;
  const count = body.length < 4 ? null : body.readUInt32LE(0);
  if (count === null || body.length !== 4 + count * 4)
    throw new ProtocolError('A cancel frame whose count does not fit its length.');
  return readNumbers(body, 4, count);
}

export function decodeLoad(frame: Frame): LoadRequest {
  return JSON.parse(frame.body.toString('utf8')) as LoadRequest;
}

// Sandbox → node

export function encodeLoaded(batch: number, report: LoadedReport): Buffer {
  return jsonFrame({ type: FromSandbox.loaded, batch }, report);
}

export function encodeLoadFailed(batch: number, report: GuestErrorReport): Buffer {
  return jsonFrame({ type: FromSandbox.loadFailed, batch }, report);
}

export function encodeDone(batch: number): Buffer {
  return frameOf({ type: FromSandbox.done, batch }, 0);
}

/** Throws ProtocolError when the report is not one. What is inside `registrations` stays unchecked. */
export function decodeLoaded(frame: Frame): LoadedReport {
  return readLoaded(frame.body);
}

export function decodeLoadFailed(frame: Frame): GuestErrorReport {
  return readErrorReport(frame.body);
}

/**
 * Body of `progress`: answer flag (u32), then PROGRESS_NUMBERS numbers, then the four lists of numbers, then commands,
 * results and notes as text. Counts are of elements, lengths of bytes.
 */
const PROGRESS_NUMBERS = 10;

/** The numbers in front of a progress body, in their order: what the guest itself writes. */
export interface PackedProgress {
  readonly batch: number;
  readonly answer: boolean;
  /** round, started, waiting, owners, done, filtered, resultLengths (counts), commands, results, notes (lengths), lists. */
  readonly numbers: Uint32Array;
  /** Commands, results and notes (JSON in utf8 bytes), one behind the other, latin1. */
  readonly text: string;
}

export function encodePackedProgress(progress: PackedProgress): Buffer {
  const { batch, numbers, text } = progress;
  const frame = frameOf({ type: FromSandbox.progress, batch }, 4 + numbers.length * 4 + text.length);
  frame.writeUInt32LE(progress.answer ? 1 : 0, FRAME_HEADER_BYTES);
  writeNumbers(frame, numbers, FRAME_HEADER_BYTES + 4);
  frame.write(text, FRAME_HEADER_BYTES + 4 + numbers.length * 4, 'latin1');
  return frame;
}

export function encodeProgress(progress: Progress): Buffer {
  const { commands, owners, done, filtered, results, resultLengths } = progress;
  const notes = progress.notes === null ? '' : Buffer.from(JSON.stringify(progress.notes), 'utf8').toString('latin1');
  const lists = [owners, done, filtered, resultLengths];
  const head = [progress.round, progress.started, progress.waiting, ...lists.map((list) => list.length)];
  const numbers = Uint32Array.from([
    ...head,
    commands.length,
    results.length,
    notes.length,
    ...lists.flatMap((l) => [...l]),
  ]);
  return encodePackedProgress({
    batch: progress.batch,
    answer: progress.answer,
    numbers,
    text: commands + results + notes,
  });
}

/**
 * Throws ProtocolError when counts and lengths do not add up to exactly the body or the notes are not notes. Positions and
 * owners are not checked against the batch: only its keeper knows it.
 */
export function decodeProgress(frame: Frame): Progress {
  const { body } = frame;
  const listsOffset = 4 + PROGRESS_NUMBERS * 4;
  if (body.length < listsOffset) throw new ProtocolError('A progress frame is too short.');
  const head = readNumbers(body, 4, PROGRESS_NUMBERS);
  const at = (index: number): number => head[index] ?? 0;
  const textOffset = listsOffset + (at(3) + at(4) + at(5) + at(6)) * 4;
  if (textOffset + at(7) + at(8) + at(9) !== body.length) {
    throw new ProtocolError('The counts of a progress frame do not add up to its length.');
  }
  let offset = listsOffset;
  const list = (index: number): Uint32Array => {
    const numbers = readNumbers(body, offset, at(index));
    offset += numbers.byteLength;
    return numbers;
  };
  const owners = list(3);
  const done = list(4);
  const filtered = list(5);
  const resultLengths = list(6);
  const resultsOffset = textOffset + at(7);
  const notesOffset = resultsOffset + at(8);
  return {
    batch: frame.batch,
    answer: body.readUInt32LE(0) === 1,
    round: at(0),
    started: at(1),
    waiting: at(2),
    owners,
    done,
    filtered,
    resultLengths,
    commands: body.toString('latin1', textOffset, resultsOffset),
    results: body.toString('latin1', resultsOffset, notesOffset),
    notes: at(9) === 0 ? null : readNotes(body.subarray(notesOffset)),
  };
}
