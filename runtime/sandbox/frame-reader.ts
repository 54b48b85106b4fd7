import { ProtocolError } from './protocol-error.ts';

/** Bytes before the body: length, type, batch. */
export const FRAME_HEADER_BYTES = 9;
const LENGTH_BYTES = 4;
/** Type and batch, counted by the length field. */
const LEAST_LENGTH = 5;

/** One complete frame; `body` is a view that is valid until the next `push`'s caller is done with it, so decode at once. */
export interface Frame {
  readonly type: number;
  readonly batch: number;
  readonly body: Buffer;
}

export interface FrameReaderOptions {
  /** A frame that announces more than this is an error; the only bound on what a peer can make us keep. */
  readonly maxFrameBytes: number;
}

export interface FrameReader {
  /**
   * Takes what a socket gave and returns the frames completed by it, in order. Throws ProtocolError for a frame shorter
   * than its header or longer than `maxFrameBytes`; the reader is of no use after that.
   */
  push(chunk: Buffer): Frame[];
  /** Bytes kept of a frame that is not complete yet. */
  readonly bufferedBytes: number;
}

/** Bytes of the frame whose length field is at `offset`. Throws ProtocolError for what is no frame, or above the limit. */
export function frameBytesAt(buffer: Buffer, offset: number, maxFrameBytes: number): number {
  const length = buffer.readUInt32LE(offset);
  if (length < LEAST_LENGTH) throw new ProtocolError(`A frame of ${length} bytes is shorter than a frame's header.`);
  if (length > maxFrameBytes) {
    throw new ProtocolError(`A frame of ${length} bytes is above the limit of ${maxFrameBytes} bytes.`);
  }
  return LENGTH_BYTES + length;
}

/** Cuts a byte stream into frames. Chunks are joined once per frame, however small they come. */
export function createFrameReader({ maxFrameBytes }: FrameReaderOptions): FrameReader {
  let parts: Buffer[] = [];
  let partsBytes = 0;
  let neededBytes = LENGTH_BYTES;

  function keep(rest: Buffer): void {
    parts = rest.length > 0 ? [rest] : [];
    partsBytes = rest.length;
    neededBytes = rest.length >= LENGTH_BYTES ? frameBytesAt(rest, 0, maxFrameBytes) : LENGTH_BYTES;
  }

  function cut(buffer: Buffer): Frame[] {
    const frames: Frame[] = [];
    let offset = 0;
    while (buffer.length - offset >= LENGTH_BYTES) {
      const end = offset + frameBytesAt(buffer, offset, maxFrameBytes);
      if (end > buffer.length) break;
      const body = buffer.subarray(offset + FRAME_HEADER_BYTES, end);
      frames.push({ type: buffer.readUInt8(offset + 4), batch: buffer.readUInt32LE(offset + 5), body });
      offset = end;
    }
    keep(buffer.subarray(offset));
    return frames;
  }

  return {
    push(chunk) {
      if (partsBytes === 0) return cut(chunk);
      parts.push(chunk);
      partsBytes += chunk.length;
      if (partsBytes < neededBytes) return [];
      return cut(Buffer.concat(parts, partsBytes));
    },
    get bufferedBytes() {
      return partsBytes;
    },
  };
}
