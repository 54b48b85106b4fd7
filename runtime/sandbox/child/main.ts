/**
 * The program of a sandbox process. It has one socket (fd 3) to its node, no environment and no rights but to read its own
 * code; it handles one frame after another and answers each. See ../messages.ts.
 */
import { writeSync } from 'node:fs';
import { Socket } from 'node:net';
import { createFrameReader, encodeDone, type Frame } from '../frames.ts';
import { ToSandbox } from '../messages.ts';
import { prepareProcess } from './guest-isolate.ts';
import { Isolates } from './isolates.ts';

const SOCKET_FD = 3;
const MAX_FRAME_BYTES = 1024 * 1024 * 1024;

/** Exit codes, for the node's log. */
const EXIT = { nodeGone: 0, catastrophe: 70, protocol: 76 } as const;

function leave(code: number, message: string): never {
  if (message !== '') writeSync(2, `${message}\n`);
  process.exit(code);
}

/** Writes what the socket takes at once; how many bytes that were. */
function writeNow(frame: Buffer): number {
  try {
    return writeSync(SOCKET_FD, frame);
  } catch {
    // It takes nothing now, or is gone, which the stream finds out.
    return 0;
  }
}

prepareProcess();

const socket = new Socket({ fd: SOCKET_FD, readable: true, writable: true });
const reader = createFrameReader({ maxFrameBytes: MAX_FRAME_BYTES });
const start = { bundle: '' };
/** Past the stream where nothing waits in it: a third of what a small answer costs here. */
const send = (frame: Buffer): void => {
  const sent = socket.writableLength === 0 ? writeNow(frame) : 0;
  if (sent < frame.length) socket.write(sent === 0 ? frame : frame.subarray(sent));
};
const isolates = new Isolates({
  bundle: () => start.bundle,
  send,
  isFull: () => socket.writableLength > 0,
  onCatastrophicError: (message) => leave(EXIT.catastrophe, `An isolate was lost beyond repair: ${message}`),
});

function boot(frame: Frame): void {
  start.bundle = frame.body.toString('utf8');
  send(encodeDone(frame.batch));
}

const HANDLERS: Readonly<Record<number, (frame: Frame) => void>> = {
  [ToSandbox.boot]: boot,
  [ToSandbox.load]: (frame) => isolates.load(frame),
  [ToSandbox.unload]: (frame) => isolates.unload(frame),
  [ToSandbox.run]: (frame) => isolates.run(frame),
  [ToSandbox.replies]: (frame) => isolates.replies(frame),
  [ToSandbox.session]: (frame) => isolates.session(frame),
  [ToSandbox.cancel]: (frame) => isolates.cancel(frame),
  [ToSandbox.openStage]: (frame) => isolates.openStage(frame),
  [ToSandbox.closeStage]: (frame) => isolates.closeStage(frame),
  [ToSandbox.steer]: (frame) => isolates.steer(frame),
  [ToSandbox.ping]: (frame) => send(encodeDone(frame.batch)),
};

function handle(frame: Frame): void {
  const handler = HANDLERS[frame.type];
  if (handler === undefined) leave(EXIT.protocol, `A frame of the unknown type ${frame.type}.`);
  handler(frame);
}

/** Frames that have come and not been handled. */
let waiting: Frame[] = [];

function guarded(work: () => void): void {
  try {
    work();
  } catch (error) {
    leave(EXIT.protocol, `A frame could not be handled: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** One frame after the other; none while a batch is suspended. */
function work(): void {
  const frames = waiting;
  waiting = [];
  for (let at = 0; at < frames.length; at++) {
    handle(frames[at] as Frame);
    if (!isolates.isSuspended) continue;
    waiting = frames.slice(at + 1);
    waitForRoom();
    return;
  }
}

function waitForRoom(): void {
  socket.pause();
  // Called back when everything before it has left.
  socket.write('', () =>
    guarded(() => {
      isolates.resume();
      if (isolates.isSuspended) {
        waitForRoom();
        return;
      }
      work();
      if (!isolates.isSuspended) socket.resume();
    }),
  );
}

socket.on('data', (chunk: Buffer) =>
  guarded(() => {
    waiting.push(...reader.push(chunk));
    if (!isolates.isSuspended) work();
  }),
);
// Without its node a sandbox process has nothing to do.
socket.on('close', () => leave(EXIT.nodeGone, ''));
socket.on('error', () => leave(EXIT.nodeGone, ''));
