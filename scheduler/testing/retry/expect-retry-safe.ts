import { latin1FromUtf8, matchesGlob, PlatformError } from '#functions';
import type { SchedulerErrorCode } from '../../errors.ts';
import { assertDone } from '../assert-done.ts';
import { type CrashPoint, describeCrash } from '../delivery/crash-point.ts';
import type { Delivery, SentCommand } from '../delivery/delivery.ts';
import type { TestEvent } from '../events.ts';
import type { Snapshot } from '../redis/snapshot.ts';
import type { TestRedis } from '../redis/test-redis.ts';
import type { TestFunction } from '../test-function.ts';
import { compareSnapshots, type Difference } from './compare-snapshots.ts';
import { type Cause, findCause, isWrite, textOfCommand } from './find-cause.ts';

export interface RetrySafetyOptions {
  /** Puts into Redis what the function finds there; run before each trial, in which Redis is empty. */
  readonly setup?: (redis: TestRedis) => Promise<unknown>;
  /** Globs of keys that need not come out the same, such as `['last-seen:*']`. */
  readonly ignore?: readonly string[];
  /** How much later the clock of the function stands when it runs again, ms. Default 0: a value made of the time is no difference. */
  readonly retryAfterMs?: number;
  /** Most crashes that are tried; of more writes than that, some are left out, evenly. Default 100. */
  readonly maxCrashes?: number;
}

/** What was tried. */
export interface RetrySafetyReport {
  /** Runs that were disturbed, each in a sandbox and a Redis of its own state. */
  readonly trials: number;
  /** Commands of the undisturbed run. */
  readonly commands: readonly SentCommand[];
}

/** How one of the events is disturbed. */
type Disturbance =
  | { readonly event: number; readonly crash: CrashPoint }
  | { readonly event: number; readonly crash: 'twice' };

interface Trial {
  readonly state: Snapshot;
  readonly commands: readonly SentCommand[];
  /** Of the last delivery of each event. */
  readonly deliveries: readonly Delivery[];
}

/**
 * Checks that nothing changes when a function has to run again, which happens on every platform that loses nothing: compares
 * what is in Redis after a clean run of these events with what is there when the sandbox is killed after each of its writes, or
 * between the last one and the acknowledgement, and the event delivered again; and when it is delivered twice.
 * Everything in Redis is deleted before each trial. Errors: NOT_RETRY_SAFE tells the first difference and the command behind
 * it with its line; DELIVERY_FAILED when the function fails undisturbed; ARGUMENT_INVALID for a function without a Redis
 * that may be cleared.
 * @example
 * await expectRetrySafe(orders, streamEntries('orders:shop', { item: 'tea', count: 2 }), {
 *   setup: (redis) => redis.call('SET', 'stock:{tea}', 3),
 * });
 */
export async function expectRetrySafe(
  fn: TestFunction,
  events: TestEvent | readonly TestEvent[],
  options: RetrySafetyOptions = {},
): Promise<RetrySafetyReport> {
  const check = new RetryCheck(fn, Array.isArray(events) ? events : [events as TestEvent], options);
  return await check.run();
}

class RetryCheck {
  readonly #fn: TestFunction;
  readonly #redis: TestRedis;
  readonly #events: readonly TestEvent[];
  readonly #options: RetrySafetyOptions;
  readonly #startMs: number;

  constructor(fn: TestFunction, events: readonly TestEvent[], options: RetrySafetyOptions) {
    if (fn.redis === null) {
      throw new PlatformError('ARGUMENT_INVALID', 'recorded replies remember nothing; load the function with a redis');
    }
    this.#fn = fn;
    this.#redis = fn.redis;
    this.#events = events;
    this.#options = options;
    this.#startMs = fn.clock.now ?? Date.now();
  }

  async run(): Promise<RetrySafetyReport> {
    const { clock, random } = this.#fn;
    const [now, source] = [clock.now, random.source];
    // The first attempt of a trial is the clean run again; only what runs again meets other dice.
    if (source === null) random.set({ seed: SEED });
    try {
      const clean = await this.#trial(null);
      for (const delivery of clean.deliveries) assertDone(this.#fn, delivery);
      const disturbances = this.#disturbances(clean);
      for (const disturbance of disturbances) this.#compare(clean, disturbance, await this.#trial(disturbance));
      return { trials: disturbances.length, commands: clean.commands };
    } finally {
      if (now === null) clock.release();
      else clock.set(now);
      if (source === null) random.release();
    }
  }

  async #trial(disturbance: Disturbance | null): Promise<Trial> {
    const fn = this.#fn;
    await this.#redis.clear();
    await this.#options.setup?.(this.#redis);
    fn.reload();
    fn.clock.set(this.#startMs);
    const commands: SentCommand[] = [];
    const deliveries: Delivery[] = [];
    for (const [at, event] of this.#events.entries()) {
      const crash = disturbance?.event === at ? disturbance.crash : null;
      const first = await fn.deliver(event, crash === null || crash === 'twice' ? {} : { crash });
      commands.push(...first.commands);
      if (crash === null) {
        deliveries.push(first);
        continue;
      }
      fn.clock.advance(this.#options.retryAfterMs ?? 0);
      const again = await fn.deliver(event);
      commands.push(...again.commands);
      deliveries.push(again);
    }
    return { state: await this.#redis.snapshot(), commands, deliveries };
  }

  /** A crash behind every write but the last one of an event: behind that one comes the acknowledgement. */
  #disturbances({ deliveries }: Trial): readonly Disturbance[] {
    const crashes = deliveries.flatMap((delivery, event): readonly Disturbance[] => {
      const behind = lastOfUnits(delivery.commands, (command) => isWrite(command, this.#redis.access.commands));
      const points = behind.slice(0, -1).map((position): CrashPoint => ({ after: position + 1 }));
      return [...points, 'acknowledge' as const].map((crash) => ({ event, crash }));
    });
    const most = this.#options.maxCrashes ?? MAX_CRASHES;
    const step = Math.max(1, crashes.length / most);
    const chosen = crashes.filter((_, at) => Math.floor(at / step) !== Math.floor((at - 1) / step));
    return [...chosen, ...deliveries.map((_, event) => ({ event, crash: 'twice' as const }))];
  }

  #compare(clean: Trial, disturbance: Disturbance, trial: Trial): void {
    const failed = trial.deliveries.find(({ errors }) => errors.length > 0)?.errors[0];
    if (failed !== undefined) {
      const what = `it fails when it runs again: ${failed.name}: ${failed.message}`;
      throw this.#unsafe(disturbance, [`  ${what}`, failed.stack, this.#fn.showSource(failed.stack)]);
    }
    const { ignore = [] } = this.#options;
    const isIgnored = ({ key }: Difference): boolean => ignore.some((glob) => matchesGlob(latin1FromUtf8(glob), key));
    const differences = compareSnapshots(clean.state, trial.state).filter((one) => !isIgnored(one));
    const deeds = { clean: clean.commands, disturbed: trial.commands, commands: this.#redis.access.commands };
    const causes = differences.map((difference) => ({ difference, cause: findCause(difference.key, deeds) }));
    const orderOf = ({ cause }: { readonly cause: Cause | null }): number =>
      cause === null ? Number.MAX_SAFE_INTEGER : trial.commands.indexOf(cause.command);
    const [first] = causes.sort((a, b) => orderOf(a) - orderOf(b));
    if (first === undefined) return;
    const { difference, cause } = first;
    throw this.#unsafe(disturbance, [`  ${difference.what}`, ...(cause === null ? [] : this.#describeCause(cause))]);
  }

  #describeCause({ command, times, timesClean }: Cause): readonly string[] {
    const at = command.at === '' ? '' : ` (${command.at})`;
    const how =
      timesClean === 0 ? 'which a clean run does not send' : `which happened ${times} times instead of ${timesClean}`;
    const same = times === timesClean ? 'whose effect depends on when it runs' : how;
    return [`  because of ${textOfCommand(command)}${at}, ${same}`, this.#fn.showSource(command.at)];
  }

  #unsafe({ event, crash }: Disturbance, lines: readonly string[]): PlatformError<SchedulerErrorCode> {
    const which = this.#events.length === 1 ? '' : ` event ${event + 1}`;
    const how =
      crash === 'twice'
        ? `when${which || ' the event'} is delivered twice`
        : `killed${which === '' ? '' : ` in${which}`} ${describeCrash(crash)} and run again`;
    const text = [
      `${this.#fn.name} is not safe to retry: ${how}, it leaves something else in Redis than a clean run`,
      ...lines,
    ];
    return new PlatformError('NOT_RETRY_SAFE', text.filter((line) => line !== '').join('\n'), {
      details: { event, crash },
    });
  }
}

const MAX_CRASHES = 100;
const SEED = 1;

/** Positions of the last command of each unit of which one is wanted. */
function lastOfUnits(commands: readonly SentCommand[], isWanted: (command: SentCommand) => boolean): readonly number[] {
  const last = new Map<number, number>();
  for (const [at, command] of commands.entries()) {
    if (isWanted(command) || last.has(command.unit)) last.set(command.unit, at);
  }
  return [...last.values()];
}
