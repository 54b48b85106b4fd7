import type { CommandWays } from './bindings/narrowing.ts';
import type { Invocation } from './invocation.ts';
import type { SourcesSpec } from './sandbox/messages.ts';

/**
 * What takes the place of the world around functions while they are tried out: the one door through which the testing kit
 * reaches into a runtime. A platform gives none, and then nothing of this costs anything. With one, `onLog` also hears where
 * each command was sent: see `readCallSite`.
 */
export interface Rehearsal {
  /** Clock and dice of every function: asked when a version is loaded, and again before each batch. */
  sources(): SourcesSpec;
  /** Stands around the ways of one batch to Redis. What it gives back is what the batch's commands go through. */
  ways(ways: CommandWays, invocation: Invocation): CommandWays;
}

/** Where a command was sent. */
export interface CallSite {
  /** Position of the entry in its batch, and the number of the command among those of the entry, from 1. */
  readonly entry: number;
  readonly command: number;
  /** A line of a stack, before it is mapped to the author's file; '' = unknown. */
  readonly frame: string;
}

/** What a log line says of a command; null for other lines. A function that writes such a line only deceives its own test. */
export function readCallSite(message: string): CallSite | null {
  const match = /^\0(\d+) (\d+) (.*)$/s.exec(message);
  return match === null ? null : { entry: Number(match[1]), command: Number(match[2]), frame: (match[3] ?? '').trim() };
}
