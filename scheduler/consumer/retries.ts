import type { Lane } from './lane.ts';

interface Due {
  readonly atMs: number;
  readonly lane: Lane;
  readonly id: string;
  /** Suspected of having killed its sandbox: runs alone. */
  readonly alone: boolean;
}

/** Entries of one lane whose time has come; `alone` ones are to be run one by one. */
export interface DueEntries {
  readonly lane: Lane;
  readonly ids: readonly string[];
  readonly alone: readonly string[];
}

export interface Retries {
  /** Waits `delayMs` and reports the entry. The lane's and registration's numbers of waiting entries are kept here. */
  add(lane: Lane, id: string, wait: { readonly delayMs: number; readonly alone: boolean }): void;
  /** Forgets what waits in a lane; the entries stay pending. */
  forget(lane: Lane): void;
  /** Entries that wait. */
  readonly size: number;
  close(): void;
}

/** Reports failed entries when their back-off is over: a heap in memory, since the pending list holds the truth. */
export function createRetries(onDue: (due: DueEntries) => void): Retries {
  const heap: Due[] = [];
  let timer: NodeJS.Timeout | undefined;
  let timerAtMs = Number.POSITIVE_INFINITY;

  function arm(): void {
    const next = heap[0];
    if (next === undefined || next.atMs >= timerAtMs) return;
    clearTimeout(timer);
    timerAtMs = next.atMs;
    timer = setTimeout(fire, Math.max(0, next.atMs - performance.now()));
  }

  function fire(): void {
    timerAtMs = Number.POSITIVE_INFINITY;
    const nowMs = performance.now();
    const lanes = new Map<Lane, { ids: string[]; alone: string[] }>();
    while (heap.length > 0 && (heap[0] as Due).atMs <= nowMs) {
      const due = pop(heap);
      // Forgotten ones are still in the heap.
      if (!due.lane.waiting.has(due.id)) continue;
      due.lane.due += 1;
      const group = lanes.get(due.lane) ?? { ids: [], alone: [] };
      lanes.set(due.lane, group);
      (due.alone ? group.alone : group.ids).push(due.id);
    }
    for (const [lane, { ids, alone }] of lanes) onDue({ lane, ids, alone });
    arm();
  }

  return {
    add(lane, id, { delayMs, alone }) {
      if (!lane.waiting.has(id)) lane.registration.waiting += 1;
      lane.waiting.add(id);
      push(heap, { atMs: performance.now() + delayMs, lane, id, alone });
      arm();
    },
    forget(lane) {
      lane.registration.waiting -= lane.waiting.size;
      lane.waiting.clear();
      lane.due = 0;
    },
    get size() {
      return heap.length;
    },
    close() {
      clearTimeout(timer);
      heap.length = 0;
    },
  };
}

function push(heap: Due[], due: Due): void {
  let at = heap.length;
  heap.push(due);
  while (at > 0) {
    const parent = (at - 1) >> 1;
    if ((heap[parent] as Due).atMs <= due.atMs) break;
    heap[at] = heap[parent] as Due;
    at = parent;
  }
  heap[at] = due;
}

function pop(heap: Due[]): Due {
  const top = heap[0] as Due;
  const last = heap.pop() as Due;
  if (heap.length === 0) return top;
  let at = 0;
  for (;;) {
    let child = 2 * at + 1;
    if (child >= heap.length) break;
    if (child + 1 < heap.length && (heap[child + 1] as Due).atMs < (heap[child] as Due).atMs) child += 1;
    if ((heap[child] as Due).atMs >= last.atMs) break;
    heap[at] = heap[child] as Due;
    at = child;
  }
  heap[at] = last;
  return top;
}
