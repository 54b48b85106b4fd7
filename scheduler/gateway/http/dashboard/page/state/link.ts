import { type ReadonlySignal, type Signal, signal } from '@preact/signals';
import type { Api, Query } from '../api/client.ts';
import type { ServerEvent } from '../api/event-reader.ts';
import { type Problem, problemOf } from '../api/problem.ts';

/**
 * `connecting`: nothing has come yet; `live`; `stale`: the node speaks, but of a time that is past; `lost`: nothing has been
 * heard for three beats, or the connection broke. A lost link is opened again until it is closed; so is one that stays stale,
 * for if it was this machine's clock that jumped, a new connection tells.
 */
export type LinkPhase = 'connecting' | 'live' | 'stale' | 'lost';

/** A stream of events that is kept open. */
export interface Link {
  readonly phase: ReadonlySignal<LinkPhase>;
  /** When something was last heard, by this machine's clock; null when never. */
  readonly heardAtMs: ReadonlySignal<number | null>;
  readonly problem: ReadonlySignal<Problem | null>;
  open(): void;
  /** Ends the connection and makes a new one, with the query as it is now. What is known stays. */
  restart(): void;
  close(): void;
}

export interface LinkOptions {
  readonly api: Api;
  readonly path: string;
  readonly query: () => Query;
  readonly onEvent: (event: ServerEvent) => void;
}

const DEFAULT_BEAT_MS = 5_000;
const MISSED_BEATS = 3;
const WATCH_MS = 500;
const FIRST_RETRY_MS = 500;
const LONGEST_RETRY_MS = 5_000;

/** What a link knows of the other side. */
interface Pulse {
  readonly phase: Signal<LinkPhase>;
  readonly heardAtMs: Signal<number | null>;
  readonly problem: Signal<Problem | null>;
  beatMs: number;
  /** The node's clock less ours. */
  skewMs: number;
  waitMs: number;
  /** Since when the other side has been behind, by our clock; null when it is not. */
  staleAtMs: number | null;
}

export function createLink(options: LinkOptions): Link {
  const pulse: Pulse = {
    phase: signal<LinkPhase>('connecting'),
    heardAtMs: signal<number | null>(null),
    problem: signal<Problem | null>(null),
    beatMs: DEFAULT_BEAT_MS,
    skewMs: 0,
    waitMs: FIRST_RETRY_MS,
    staleAtMs: null,
  };
  const running = { now: null as AbortController | null };
  const open = (): void => {
    running.now?.abort();
    running.now = new AbortController();
    void keepOpen(options, pulse, running.now.signal);
  };
  const { phase, heardAtMs, problem } = pulse;
  return { phase, heardAtMs, problem, open, restart: open, close: () => running.now?.abort() };
}

/** One attempt after another, until the signal ends it. */
async function keepOpen(options: LinkOptions, pulse: Pulse, ended: AbortSignal): Promise<void> {
  while (!ended.aborted) {
    const reason = await attempt(options, pulse, ended);
    if (ended.aborted) return;
    pulse.phase.value = 'lost';
    if (reason !== null) pulse.problem.value = reason;
    await sleep(pulse.waitMs, ended);
    pulse.waitMs = Math.min(pulse.waitMs * 2, LONGEST_RETRY_MS);
  }
}

/** Listens until the stream ends, falls silent, or is ended; answers why, null where there is nothing to say. */
async function attempt(
  { api, path, query, onEvent }: LinkOptions,
  pulse: Pulse,
  ended: AbortSignal,
): Promise<Problem | null> {
  const silence = new AbortController();
  const beganAtMs = Date.now();
  const watch = setInterval(() => {
    const lastMs = Math.max(pulse.staleAtMs ?? pulse.heardAtMs.peek() ?? 0, beganAtMs);
    if (Date.now() - lastMs > MISSED_BEATS * pulse.beatMs) silence.abort();
  }, WATCH_MS);
  const hear = (event: ServerEvent): void => {
    if (ended.aborted) return;
    take(event, pulse);
    onEvent(event);
  };
  try {
    await api.events({ path, query: query(), signal: AbortSignal.any([ended, silence.signal]), onEvent: hear });
    return null;
  } catch (error) {
    return silence.signal.aborted || isBroken(error) ? null : problemOf(error);
  } finally {
    clearInterval(watch);
  }
}

/** The browser's word for a stream that broke off. */
function isBroken(error: unknown): boolean {
  return error instanceof TypeError;
}

function take({ event, data }: ServerEvent, pulse: Pulse): void {
  const now = Date.now();
  pulse.heardAtMs.value = now;
  if (event !== 'hello' && event !== 'beat') return;
  const { atMs, beatMs } = data as { readonly atMs: number; readonly beatMs?: number };
  if (event === 'hello') {
    Object.assign(pulse, { beatMs: beatMs ?? DEFAULT_BEAT_MS, skewMs: atMs - now, waitMs: FIRST_RETRY_MS });
    pulse.problem.value = null;
  }
  const isBehind = now + pulse.skewMs - atMs > MISSED_BEATS * pulse.beatMs;
  pulse.staleAtMs = isBehind ? (pulse.staleAtMs ?? now) : null;
  pulse.phase.value = isBehind ? 'stale' : 'live';
}

function sleep(ms: number, ended: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (ended.aborted) return resolve();
    const timer = setTimeout(resolve, ms);
    ended.addEventListener('abort', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
