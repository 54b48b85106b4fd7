import type { Limits, Manifest } from '#functions';
import type { CrashPoint } from './delivery/crash-point.ts';
import type { Delivery } from './delivery/delivery.ts';
import type { TestEvent } from './events.ts';
import type { TestRedis } from './redis/test-redis.ts';
import type { ReplyRules } from './replies/reply-rules.ts';
import type { Instant, RandomSource, TestClock, TestRandom } from './sources.ts';

/** Where a function under test comes from, and what its world is. */
export interface LoadOptions {
  /** A script, TypeScript or JavaScript; what it imports is bundled, as `regears deploy` does. Either this or `source`. */
  readonly file?: string | URL;
  /** The text of a script, which imports nothing. */
  readonly source?: string;
  /** Of `source`. Default `ts`, which plain JavaScript is too. */
  readonly language?: 'js' | 'ts';
  /** Default: the name of the file without its extension; `function` for a source. */
  readonly name?: string;
  /**
   * The Redis its commands go to: one of `startRedis` or `openRedis`, which the caller closes, or an address. Default: a server of its own, which
   * ends with the function.
   */
  readonly redis?: TestRedis | string;
  /** Replies in the place of a Redis. */
  readonly replies?: ReplyRules;
  /** Path of a file into which all commands and their replies are written when the function is disposed of; see `readRecording`. */
  readonly record?: string;
  /** Where its clock stands. Default: it is the machine's. */
  readonly now?: Instant;
  /** What `Math.random()` gives. Default: chance. */
  readonly random?: RandomSource;
  /** What `configGet` answers. */
  readonly settings?: Readonly<Record<string, string>>;
  /** What `env(name)` answers. */
  readonly env?: Readonly<Record<string, string>>;
  /**
   * What `secret(name)` answers: all that the function asks for, 8 characters each at least. As on a platform, their values do not
   * appear in logs, errors and results.
   */
  readonly secrets?: Readonly<Record<string, string>>;
  /** Limits other than a platform's defaults. */
  readonly limits?: Partial<Limits>;
}

export interface DeliverOptions {
  /** Where the sandbox is killed on the way. */
  readonly crash?: CrashPoint;
  /** Id of the registration, where several are for the event. */
  readonly registration?: string;
}

/** A function in a sandbox, as on a platform: the same process, isolate, limits and command policy. */
export interface TestFunction extends AsyncDisposable {
  readonly name: string;
  /** What it registers and runs. */
  readonly manifest: Manifest;
  /** Null when its commands are answered by `replies`. */
  readonly redis: TestRedis | null;
  readonly clock: TestClock;
  readonly random: TestRandom;
  /**
   * Hands over the records of an event, all at once, and resolves when each has its end. What the function throws is in the
   * outcome; deliveries made at the same time run one after the other. Delivering an event again is what a platform
   * does with one that was not acknowledged. Errors: ARGUMENT_INVALID when nothing is registered for it; REPLY_MISSING.
   * @example
   * const { commands } = await clicks.deliver(streamEntries('events:web', { user: 'ann', page: '/home' }));
   */
  deliver(event: TestEvent, options?: DeliverOptions): Promise<Delivery>;
  /** Kills the sandbox process (SIGKILL): what the function held in memory is gone, the next delivery loads it anew. */
  kill(): Promise<void>;
  /** The next delivery finds the function freshly loaded; a seed of `random` begins anew. */
  reload(): void;
  /** The lines of its source around the first `file:line:column` of a text; '' when there is none. */
  showSource(text: string): string;
}
