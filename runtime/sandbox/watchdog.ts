import type { DeathCause } from './sandbox.ts';

/** What the watchdog sees of a sandbox process. */
export interface Watched {
  /** Since when the child is busy with its oldest frame (`performance.now()`), or null when it has nothing to do. */
  busySinceMs(): number | null;
  /** How long that frame may take, without the grace. */
  limitMs(): number;
  /** True when an idle child was asked whether it is alive and that is what it owes an answer to. */
  owesPing(): boolean;
  /** Measures anew and returns the resident memory, bytes. */
  measureResidentBytes(): number;
  /** The node was held up for so long; the child is not charged for it. */
  excuse(ms: number): void;
  ping(): void;
  kill(cause: DeathCause, detail: string): void;
}

export interface WatchdogOptions {
  /** Beyond a call's own limit, before the kill, ms: the isolate's own timeout is to fire first. */
  readonly graceMs: number;
  /** Resident memory of one process, bytes. */
  readonly residentBytes: number;
  /** Period while a process is busy. Default 50. */
  readonly intervalMs?: number;
  readonly now?: () => number;
}

export interface Watchdog extends Disposable {
  /** Returns a function that ends the watch. */
  watch(subject: Watched): () => void;
}

/** What one look says, as data. */
export interface Look {
  readonly busyMs: number | null;
  readonly limitMs: number;
  readonly owesPing: boolean;
  readonly residentBytes: number;
}

const IDLE_EVERY = 5;
const PING_EVERY = 40;
/** A late tick below this is ordinary jitter. */
const JITTER_MS = 50;

/** Whether to kill, and why; null = let it live. Pure. */
export function judge(
  look: Look,
  limits: { readonly graceMs: number; readonly residentBytes: number },
): { readonly cause: DeathCause; readonly detail: string } | null {
  if (look.residentBytes > limits.residentBytes) {
    const held = `${mebibytes(look.residentBytes)} MiB of resident memory`;
    return {
      cause: 'memory',
      detail: `it held ${held}, more than ${mebibytes(limits.residentBytes)} MiB (sandbox-memory)`,
    };
  }
  if (look.busyMs === null || look.busyMs <= look.limitMs + limits.graceMs) return null;
  const busy = `${Math.round(look.busyMs)} ms`;
  if (look.owesPing) return { cause: 'unresponsive', detail: `it has not answered for ${busy}` };
  return {
    cause: 'call-time',
    detail: `one call ran for ${busy} and could not be stopped; the limit is ${look.limitMs} ms (limit-call-ms)`,
  };
}

/** Watches sandbox processes from the node: time of the oldest frame, resident memory, life signs. One timer for all. */
export function createWatchdog(options: WatchdogOptions): Watchdog {
  const { intervalMs = 50, now = () => performance.now() } = options;
  const subjects = new Set<Watched>();
  let lastTickMs = now();
  let ticks = 0;

  const lookAt = (subject: Watched, at: number): void => {
    const since = subject.busySinceMs();
    if (since === null && ticks % IDLE_EVERY !== 0) return;
    const verdict = judge(
      {
        busyMs: since === null ? null : at - since,
        limitMs: subject.limitMs(),
        owesPing: subject.owesPing(),
        residentBytes: subject.measureResidentBytes(),
      },
      options,
    );
    if (verdict) subject.kill(verdict.cause, verdict.detail);
    else if (since === null && ticks % PING_EVERY === 0) subject.ping();
  };

  const timer = setInterval(() => {
    const at = now();
    // When the node itself was held up, answers may be waiting unread in the pipe: look again after reading them.
    const lateMs = at - lastTickMs - intervalMs;
    lastTickMs = at;
    ticks += 1;
    for (const subject of subjects) {
      if (lateMs > JITTER_MS) subject.excuse(lateMs);
      lookAt(subject, at);
    }
  }, intervalMs);
  timer.unref();

  return {
    watch(subject) {
      subjects.add(subject);
      return () => subjects.delete(subject);
    },
    [Symbol.dispose]() {
      clearInterval(timer);
      subjects.clear();
    },
  };
}

function mebibytes(bytes: number): number {
  return Math.round(bytes / 1_048_576);
}
