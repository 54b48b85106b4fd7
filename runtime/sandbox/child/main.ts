/**
 * The program of a sandbox process. It has one socket (fd 3) to its node, no environment and no rights but to read its own
 * code; it handles one frame after another and answers each. See ../messages.ts.
 */
import { writeSync } from 'node:fs';
import { encodeDone, type Frame } from '../frames.ts';
import { ToSandbox } from '../messages.ts';
import { prepareProcess } from './guest-isolate.ts';
import { GuestProgram } from './guest-program.ts';
import { Isolates } from './isolates.ts';
import { createNodePipe } from './pipe.ts';
import { warmProgram } from './warm-program.ts';

const SOCKET_FD = 3;
const MAX_FRAME_BYTES = 1024 * 1024 * 1024;

/** Exit codes, for the node's log. */
const EXIT = { nodeGone: 0, catastrophe: 70, protocol: 76 } as const;

function leave(code: number, message: string): never {
  if (message !== '') writeSync(2, `${message}\n`);
  process.exit(code);
}

prepareProcess();

const pipe = createNodePipe(SOCKET_FD, MAX_FRAME_BYTES);
const start = { program: new GuestProgram('') };
const send = (frame: Buffer): void => pipe.send(frame);
const isolates = new Isolates({
  program: () => start.program,
  send,
  onCatastrophicError: (message) => leave(EXIT.catastrophe, `An isolate was lost beyond repair: ${message}`),
});

function boot(frame: Frame): void {
  start.program = warmProgram(frame.body.toString('utf8'));
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
  [ToSandbox.variables]: (frame) => isolates.supply(frame),
  [ToSandbox.usage]: (frame) => isolates.usage(frame),
  [ToSandbox.ping]: (frame) => send(encodeDone(frame.batch)),
};

const GONE: ReadonlySet<unknown> = new Set(['EPIPE', 'ECONNRESET']);

function isNodeGone(error: unknown): boolean {
  return error instanceof Error && 'code' in error && GONE.has(error.code);
}

function handle(frame: Frame): void {
  const handler = HANDLERS[frame.type];
  if (handler === undefined) leave(EXIT.protocol, `A frame of the unknown type ${frame.type}.`);
  handler(frame);
}

/** Handles the frames that are there, or the next one to come. Without its node a sandbox process has nothing to do. */
function serve(): void {
  try {
    do {
      const frame = pipe.receive();
      if (frame === null) leave(EXIT.nodeGone, '');
      handle(frame);
    } while (pipe.hasFrame);
  } catch (error) {
    if (isNodeGone(error)) leave(EXIT.nodeGone, '');
    leave(EXIT.protocol, `A frame could not be handled: ${error instanceof Error ? error.message : String(error)}`);
  }
  // V8 and isolated-vm leave work in the loop, the news of a lost isolate for one: it has a turn before the next wait.
  setImmediate(serve);
}

serve();
