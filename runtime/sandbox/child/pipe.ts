import { readSync, writeSync } from 'node:fs';
import { FRAME_HEADER_BYTES, type Frame, frameBytesAt } from '../frame-reader.ts';

/** The child's end of the pipe to its node: reading and writing wait in the kernel, one thing after the other. */
export interface NodePipe {
  /** Waits for the next frame; null: the node has gone. Its body is good until the next call. Throws ProtocolError. */
  receive(): Frame | null;
  /** True when another frame is there already, complete: `receive` would not wait. */
  readonly hasFrame: boolean;
  /** Returns when the frame has left; a node that does not read is waited for. Throws when it has gone. */
  send(frame: Buffer): void;
}

/** Room for what a socket holds at once; frames that are larger get room of their own for as long as they are there. */
const ROOM_BYTES = 256 * 1024;
const LENGTH_BYTES = 4;

/** @param fd a socket in blocking mode. */
export function createNodePipe(fd: number, maxFrameBytes: number): NodePipe {
  const usual = Buffer.allocUnsafeSlow(ROOM_BYTES);
  let room = usual;
  let from = 0;
  let to = 0;

  /** Bytes of the frame that begins at `from`, as far as they are known. */
  function frameBytes(): number {
    return to - from < LENGTH_BYTES ? LENGTH_BYTES : frameBytesAt(room, from, maxFrameBytes);
  }

  function makeRoom(bytes: number): void {
    if (from === to && room !== usual) {
      room = usual;
      from = 0;
      to = 0;
    }
    if (room.length - from >= bytes && room.length > to) return;
    const larger = bytes > room.length ? Buffer.allocUnsafeSlow(bytes) : room;
    room.copy(larger, 0, from, to);
    room = larger;
    to -= from;
    from = 0;
  }

  return {
    receive() {
      if (from === to) {
        from = 0;
        to = 0;
      }
      for (let bytes = frameBytes(); to - from < bytes || bytes === LENGTH_BYTES; bytes = frameBytes()) {
        makeRoom(bytes);
        const read = readSync(fd, room, to, room.length - to, null);
        if (read === 0) return null;
        to += read;
      }
      const end = from + frameBytes();
      const body = room.subarray(from + FRAME_HEADER_BYTES, end);
      const frame = { type: room.readUInt8(from + 4), batch: room.readUInt32LE(from + 5), body };
      from = end;
      return frame;
    },
    get hasFrame() {
      return to - from >= LENGTH_BYTES && to - from >= frameBytes();
    },
    send(frame) {
      for (let sent = 0; sent < frame.length; ) sent += writeSync(fd, frame, sent);
    },
  };
}
