import { setTimeout as sleep } from 'node:timers/promises';
import type { CommandLane } from './command-lane.ts';

const POLL_MS = 10;

/** Lanes that are given to it start what waits in them at the end of this tick, so that the calls of one tick travel together. */
export function createLaneSchedule(): (lane: CommandLane) => void {
  const due = new Set<CommandLane>();
  const flush = (): void => {
    const lanes = [...due];
    due.clear();
    for (const lane of lanes) lane.flush();
  };
  return (lane) => {
    if (due.size === 0) setImmediate(flush);
    due.add(lane);
  };
}

/** Resolves when no call waits or is in work any more, or after the deadline. */
export async function untilEmpty(size: () => number, deadlineMs: number): Promise<void> {
  for (const endMs = performance.now() + deadlineMs; size() > 0 && performance.now() < endMs; ) await sleep(POLL_MS);
}
