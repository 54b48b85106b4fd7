import { setFlagsFromString } from 'node:v8';
import ivm from 'isolated-vm';
import type { GuestApi, GuestNews, OutboxFields, ToldNews } from '../../guest/api.ts';
import type { IsolateUsage, LoadRequest } from '../messages.ts';
import { type GuestApiReference, type GuestProgram, RUNTIME_FILE } from './guest-program.ts';

const MEBIBYTE = 1024 * 1024;
const LEAST_MEMORY_MIB = 8;

const OUTBOX: OutboxFields = { batch: 6, count: 7, numbers: 8 };
/** Numbers that the memory shared with an isolate has room for: the news of a few thousand entries. */
const SHARED_NUMBERS = 8_192;
const NONE = new Uint32Array(0);
const COPY = { copy: true } as const;
/** Of a version that has no isolate just now. */
export const NOTHING_USED = { heapBytes: 0, externalBytes: 0, cpuMs: 0 };
/**
 * isolated-vm wakes a thread for the time-out of each call, long after most of them have returned: a tenth of a sandbox's time
 * when entries come singly. Calls that begin within so many ms time out together; at worst a call has that much longer.
 */
const TIMEOUTS_EVERY_MS = 20;

/**
 * Runs the queue of microtasks in the middle of a guest's call; there is no other way to it from script. It must be compiled
 * at once, while the syntax is allowed, which user code never sees.
 */
const CHECKPOINT_SOURCE = `'use strict';
(() => {
  const runDry = (() => { %PerformMicrotaskCheckpoint(); });
  runDry();
  return runDry;
})()`;

/** Where the guest says whose turn it is. */
export interface Blame {
  readonly batch: number;
  readonly entry: number;
}

export interface GuestIsolate {
  /** What evaluating showed, as JSON of a LoadedReport. */
  readonly reportJson: string;
  call<Name extends 'run' | 'feed' | 'replies' | 'session' | 'cancel' | 'go'>(
    name: Name,
    args: Parameters<GuestApi[Name]>,
  ): ToldNews;
  /** '' or the JSON of an error report. */
  openStage(opening: string): string;
  closeStage(stage: number): void;
  /** JSON of a SourcesSpec. */
  steer(sources: string): void;
  /** Whose turn it is, or whose it was that a call did not return from; null when nobody had one. */
  blame(): Blame | null;
  readonly disposed: boolean;
  usage(): Omit<IsolateUsage, 'handle' | 'batches' | 'entries'>;
  /** Lets later isolates of the program begin with what has been compiled in this one. */
  keepCompiled(): void;
  dispose(): void;
}

/** Must be called once, before any isolate is made: what was compiled with the syntax must never be compiled again. */
export function prepareProcess(): void {
  setFlagsFromString('--no-flush-bytecode');
}

function compileCheckpoint(context: ivm.Context): ivm.Reference<() => void> {
  setFlagsFromString('--allow-natives-syntax');
  try {
    return context.evalSync(CHECKPOINT_SOURCE, { filename: RUNTIME_FILE, reference: true }) as ivm.Reference<
      () => void
    >;
  } finally {
    setFlagsFromString('--no-allow-natives-syntax');
  }
}

export interface GuestIsolateOptions {
  readonly program: GuestProgram;
  readonly request: LoadRequest;
  readonly onCatastrophicError: (message: string) => void;
}

/** Thrown when evaluating the source failed; `phase` tells a syntax error from what running it threw. */
export class LoadError extends Error {
  readonly phase: 'compile' | 'run';
  readonly isComplaint: boolean;

  constructor(phase: 'compile' | 'run', cause: unknown, isComplaint: boolean) {
    super('The source could not be loaded.', { cause });
    this.phase = phase;
    this.isComplaint = isComplaint;
  }
}

interface Ground {
  readonly isolate: ivm.Isolate;
  readonly context: ivm.Context;
  readonly shared: SharedArrayBuffer;
}

function startGuest({ isolate, context, shared }: Ground, options: GuestIsolateOptions): GuestApiReference {
  const { request, program } = options;
  const config = JSON.stringify({
    callMs: request.callMs,
    commandsPerEvent: request.commandsPerEvent,
    commandBytes: request.commandBytes,
    outputBytes: request.outputBytes,
    settings: request.settings,
    ...(request.sources ? { sources: request.sources } : {}),
  });
  const checkpoint = compileCheckpoint(context);
  return program.start(isolate, context, [new ivm.ExternalCopy(shared).copyInto(), checkpoint.derefInto(), config]);
}

function loadSource(isolate: ivm.Isolate, context: ivm.Context, request: LoadRequest): void {
  let script: ivm.Script;
  try {
    script = isolate.compileScriptSync(request.code, { filename: request.fileName });
  } catch (error) {
    throw new LoadError('compile', error, false);
  }
  script.runSync(context, { timeout: request.callMs });
  script.release();
}

/** Makes an isolate, starts the guest runtime in it and evaluates the source. Throws LoadError. */
export function createGuestIsolate(options: GuestIsolateOptions): GuestIsolate {
  const { request } = options;
  const isolate = new ivm.Isolate({
    memoryLimit: Math.max(LEAST_MEMORY_MIB, Math.ceil(request.memoryBytes / MEBIBYTE)),
    onCatastrophicError: options.onCatastrophicError,
  });
  const shared = new SharedArrayBuffer(SHARED_NUMBERS * Uint32Array.BYTES_PER_ELEMENT);
  const turn = new Uint32Array(shared);
  const context = isolate.createContextSync();
  const api = startGuest({ isolate, context, shared }, options);
  const functions = new Map<string, ivm.Reference<(...args: never[]) => unknown>>();
  const apply = (name: string, args: readonly unknown[]): unknown => {
    let fn = functions.get(name);
    if (fn === undefined) {
      fn = api.getSync(name, { reference: true }) as ivm.Reference<(...args: never[]) => unknown>;
      functions.set(name, fn);
    }
    return fn.applySync(undefined, args as never[], { timeout: timeoutOf(request.callMs), result: COPY });
  };
  const dispose = (): void => {
    if (!isolate.isDisposed) isolate.dispose();
  };
  try {
    loadSource(isolate, context, request);
    if (!request.inspectOnly) apply('registered', []);
  } catch (error) {
    const message = error instanceof Error ? error.message : '';
    const isComplaint = !isolate.isDisposed && apply('isComplaint', [message]) === true;
    dispose();
    throw error instanceof LoadError ? error : new LoadError('run', error, isComplaint);
  }
  return {
    reportJson: apply('report', []) as string,
    call(name, args) {
      try {
        return told(apply(name, args) as GuestNews, turn);
      } catch (error) {
        // An unhandled rejection comes out of the call in place of its value.
        const news = isolate.isDisposed
          ? null
          : apply('again', [error instanceof Error ? error.message : String(error)]);
        if (news === null) throw error;
        return news as ToldNews;
      }
    },
    openStage: (opening) => apply('openStage', [opening]) as string,
    closeStage(stage) {
      if (!isolate.isDisposed) apply('closeStage', [stage]);
    },
    steer(sources) {
      if (!isolate.isDisposed) apply('steer', [sources]);
    },
    blame: () => blameIn(turn),
    get disposed() {
      return isolate.isDisposed;
    },
    usage() {
      if (isolate.isDisposed) return NOTHING_USED;
      const { used_heap_size: heapBytes, externally_allocated_size: externalBytes } = isolate.getHeapStatisticsSync();
      return { heapBytes, externalBytes, cpuMs: Math.round(Number(isolate.cpuTime) / 1e6) };
    },
    keepCompiled: () => options.program.keepCompiled(isolate),
    dispose,
  };
}

/** What a call told, with the numbers that are in the shared memory: to be read before the next call. */
function told(news: GuestNews, shared: Uint32Array): ToldNews {
  if (typeof news !== 'string') return news;
  const end = OUTBOX.numbers + (shared[OUTBOX.count] ?? 0);
  return [0, shared[OUTBOX.batch] ?? 0, shared.subarray(OUTBOX.numbers, end), NONE, news];
}

/** By the guest's `BlameField`: the turn that did not end, else the longest one, which is 0 ms where there was none. */
function blameIn([
  known,
  batch = 0,
  entry = 0,
  longest,
  longestBatch = 0,
  longestEntry = 0,
]: Uint32Array): Blame | null {
  if (known === 1) return { batch, entry };
  return longest === 0 ? null : { batch: longestBatch, entry: longestEntry };
}

/** Time-out of a call that begins now, ms: at least `callMs`. */
function timeoutOf(callMs: number): number {
  const nowMs = performance.now();
  return Math.ceil(Math.ceil((nowMs + callMs) / TIMEOUTS_EVERY_MS) * TIMEOUTS_EVERY_MS - nowMs);
}
