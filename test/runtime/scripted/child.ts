/**
 * A sandbox process without a sandbox: it speaks the protocol and behaves as the "code" of a version says, also where the
 * real one never would. Code is `<behaviour>` or `<behaviour>:<argument>`.
 */
import { Socket } from 'node:net';
import process from 'node:process';
import {
  createFrameReader,
  decodeCancel,
  decodeLoad,
  decodeRun,
  encodeDone,
  encodeLoaded,
  encodeLoadFailed,
  encodeProgress,
  type Frame,
} from '../../../runtime/sandbox/frames.ts';
import { type Progress, ToSandbox } from '../../../runtime/sandbox/messages.ts';
import { decodeNumberAndText } from '../../../runtime/sandbox/number-frames.ts';

interface Running {
  readonly behaviour: string;
  readonly argument: string;
  readonly count: number;
  round: number;
}

const pipe = new Socket({ fd: 3, readable: true, writable: true });
const reader = createFrameReader({ maxFrameBytes: 256 * 1024 * 1024 });
const codes = new Map<number, string>();
const batches = new Map<number, Running>();
const ballast: Buffer[] = [];

const EMPTY = new Uint32Array(0);

function progress(batch: number, fields: Partial<Progress>): void {
  pipe.write(
    encodeProgress({
      batch,
      answer: true,
      round: 0,
      commands: '',
      owners: EMPTY,
      done: EMPTY,
      filtered: EMPTY,
      started: 0,
      waiting: 0,
      results: '',
      resultLengths: EMPTY,
      notes: null,
      ...fields,
    }),
  );
}

function positions(count: number): Uint32Array {
  return Uint32Array.from({ length: count }, (_, index) => index);
}

function command(...args: string[]): string {
  return `*${args.length}\r\n${args.map((arg) => `$${arg.length}\r\n${arg}\r\n`).join('')}`;
}

function failure(
  index: number,
  code: string,
): { index: number; error: Record<'code' | 'name' | 'message' | 'stack', string> } {
  return { index, error: { code, name: 'Error', message: `entry ${index} failed`, stack: 'at f (x.v1.js:1:1)' } };
}

function spin(): void {
  for (;;);
}

const ON_RUN: Record<string, (batch: number, running: Running) => void> = {
  done: (batch, { count }) => progress(batch, { started: count, done: positions(count) }),
  filtered: (batch, { count }) => progress(batch, { started: count, filtered: positions(count) }),
  failed: (batch, { count, argument }) =>
    progress(batch, { started: count, notes: { failed: Array.from(positions(count), (at) => failure(at, argument)) } }),
  wait: (batch, { count }) => progress(batch, { started: count, waiting: count }),
  spin,
  exit: () => process.exit(7),
  grow: () => {
    for (;;) ballast.push(Buffer.alloc(16 * 1024 * 1024, 1));
  },
  count: (batch, { count, argument }) =>
    progress(batch, {
      started: count,
      round: 1,
      commands: command('HINCRBY', argument, 'n', '1').repeat(count),
      owners: positions(count),
    }),
  unawaited: (batch, { count, argument }) =>
    progress(batch, {
      started: count,
      round: 1,
      commands: command('HINCRBY', argument, 'n', '1').repeat(count),
      owners: positions(count),
      done: positions(count),
    }),
  send: (batch, { argument }) =>
    progress(batch, { started: 1, round: 1, commands: argument, owners: Uint32Array.of(0) }),
  results: (batch, { argument, count }) =>
    progress(batch, {
      started: count,
      done: positions(count),
      results: argument.repeat(count),
      resultLengths: positions(count).map(() => argument.length),
    }),
  'forged-position': (batch, { count }) => progress(batch, { started: count, done: Uint32Array.of(count) }),
  'doubled-end': (batch, { count }) => progress(batch, { started: count, done: Uint32Array.of(0, 0) }),
  'doubled-later': (batch, { count }) => {
    progress(batch, { started: count, answer: false, done: Uint32Array.of(0) });
    progress(batch, { done: Uint32Array.of(0) });
  },
  'forged-owner': (batch, { count }) =>
    progress(batch, { started: 1, round: 1, commands: command('PING'), owners: Uint32Array.of(count) }),
  'forged-answer': (batch) => {
    progress(batch, { waiting: 1 });
    progress(batch, { waiting: 1 });
  },
  'forged-failure': (batch, { count }) => progress(batch, { notes: { failed: [failure(count, 'GUEST_ERROR')] } }),
  'other-batch': (batch, { count }) => {
    progress(batch - 1, { answer: false, done: Uint32Array.of(0) });
    progress(batch, { started: count, done: positions(count) });
  },
  garbage: () => pipe.write(Buffer.alloc(64, 0xff)),
  'unknown-frame': () => pipe.write(Buffer.from([5, 0, 0, 0, 99, 0, 0, 0, 0])),
  ask: (batch, { count, argument }) =>
    progress(batch, {
      started: count,
      waiting: count,
      notes: { sessions: [{ session: 1, entry: 0, op: 'ask', command: argument }] },
    }),
  log: (batch, { count, argument }) =>
    progress(batch, {
      started: count,
      done: positions(count),
      notes: { logs: [{ level: 'warning', message: argument }] },
    }),
};

function onLoad(frame: Frame): void {
  const request = decodeLoad(frame);
  codes.set(request.handle, request.code);
  if (request.code === 'load-spin') spin();
  if (request.code === 'load-exit') process.exit(3);
  if (request.code === 'load-fails') {
    const report = { code: 'GUEST_SYNTAX', name: 'SyntaxError', message: 'no', stack: `at ${request.fileName}:2:3` };
    pipe.write(encodeLoadFailed(frame.batch, report));
    return;
  }
  pipe.write(
    encodeLoaded(frame.batch, { registrations: [], runs: [], logs: [{ level: 'notice', message: 'loading' }] }),
  );
}

function onRun(frame: Frame): void {
  const { header } = decodeRun(frame);
  const code = codes.get(header.handle) ?? 'spin';
  const colon = code.indexOf(':');
  const behaviour = colon < 0 ? code : code.slice(0, colon);
  const running = { behaviour, argument: code.slice(colon + 1), count: header.entryCount, round: 0 };
  batches.set(frame.batch, running);
  ON_RUN[behaviour]?.(frame.batch, running);
}

function onReplies(frame: Frame): void {
  const running = batches.get(frame.batch);
  const { text } = decodeNumberAndText(frame);
  if (running?.behaviour === 'send') {
    const message = text.slice(0, 500);
    const error = { code: 'REDIS_REPLY', name: 'Error', message, stack: '' };
    if (text.startsWith('-')) progress(frame.batch, { notes: { failed: [{ index: 0, error }] } });
    else progress(frame.batch, { done: Uint32Array.of(0) });
    return;
  }
  const ended = running?.behaviour === 'unawaited' ? EMPTY : positions(running?.count ?? 0);
  progress(frame.batch, { done: ended });
}

function onFrame(frame: Frame): void {
  if (frame.type === ToSandbox.load) onLoad(frame);
  else if (frame.type === ToSandbox.run) onRun(frame);
  else if (frame.type === ToSandbox.replies) onReplies(frame);
  else if (frame.type === ToSandbox.cancel) progress(frame.batch, { waiting: decodeCancel(frame).length * 0 });
  else if (frame.type === ToSandbox.session) progress(frame.batch, {});
  else pipe.write(encodeDone(frame.batch));
}

pipe.on('data', (chunk: Buffer) => {
  for (const frame of reader.push(chunk)) onFrame(frame);
});
pipe.on('close', () => process.exit(0));
