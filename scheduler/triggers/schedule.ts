import type { Logger } from 'pino';
import {
  type ActiveRegistration,
  defineScript,
  PlatformError,
  type RedisAccess,
  type ScheduleTriggerSpec,
} from '#functions';
import { capturedStreamOf } from '../consumer/stream-source.ts';
import type { SchedulerErrorCode } from '../errors.ts';
import type { SchedulerKeys } from '../keys.ts';
import type { Ring, ScheduleClock } from '../queues/schedule-clock.ts';
import { nextTimeMs } from '../queues/schedule-times.ts';
import { type DueTicks, decideDueTicks } from './due-ticks.ts';
import type { Trigger } from './trigger.ts';

export interface ScheduleTriggerOptions {
  readonly access: Pick<RedisAccess, 'client' | 'tagOf'>;
  readonly keys: SchedulerKeys;
  readonly clock: ScheduleClock;
  /** Something was written to this stream (latin1). */
  readonly ring: (stream: string) => void;
  /** Default 10,000 ms. */
  readonly upkeepMs?: number;
  readonly log: Logger;
}

const OPEN = defineScript('open-schedule', new URL('./scripts/open-schedule.lua', import.meta.url));
const CAPTURE = defineScript('capture-ticks', new URL('./scripts/capture-ticks.lua', import.meta.url));
const UPKEEP_MS = 10_000;
/** With `missed: 'all'`; what is older than these is left out, with a line in the log. */
const MOST_MISSED = 10_000;

/**
 * Time as a reason for something to run. The fleet's clock rings; whoever hears it writes what is due to the registration's
 * stream, in one script that knows the last tick, so that each tick is written once although rings come twice, come late or
 * die with their node. From there ticks run like the entries of any stream.
 */
export function createScheduleTrigger(options: ScheduleTriggerOptions): Trigger {
  return new ScheduleKeeper(options);
}

interface KeptSchedule {
  readonly id: string;
  readonly spec: ScheduleTriggerSpec;
  /** What the script compares: the schedule and nothing else. */
  readonly text: string;
  /** Stream and state, as the server names them. */
  readonly stream: Buffer;
  readonly state: string;
}

class ScheduleKeeper implements Trigger {
  readonly kind = 'schedule';
  readonly #options: ScheduleTriggerOptions;
  readonly #upkeep: NodeJS.Timeout;
  #schedules: ReadonlyMap<string, KeptSchedule> = new Map();
  /** Registrations the clock rings for that nobody here knew at the last look. */
  #strays: ReadonlySet<string> = new Set();
  #stopped = false;

  constructor(options: ScheduleTriggerOptions) {
    this.#options = options;
    options.clock.onRing((ring) => this.#onRing(ring));
    this.#upkeep = setInterval(() => this.#lookAround(), options.upkeepMs ?? UPKEEP_MS);
  }

  async apply(registrations: readonly ActiveRegistration[]): Promise<void> {
    const before = this.#schedules;
    const running = registrations.filter(({ state }) => state === 'running').flatMap((one) => this.#keptOf(one));
    this.#schedules = new Map(running.map((schedule) => [schedule.id, schedule]));
    const gone = [...before.keys()].filter((id) => !this.#schedules.has(id));
    await Promise.all(gone.map((id) => this.#options.clock.remove(id)));
    await Promise.all(running.map((schedule) => this.#begin(schedule)));
  }

  async drain(deadlineMs: number): Promise<void> {
    this.#stopped = true;
    clearInterval(this.#upkeep);
    await this.#options.clock.drain(deadlineMs);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.drain(0);
  }

  #keptOf({ spec: { id, trigger } }: ActiveRegistration): readonly KeptSchedule[] {
    if (trigger.kind !== 'schedule') return [];
    const { access, keys } = this.#options;
    const { cron, timeZone, everyMs, atMs } = trigger;
    const stream = capturedStreamOf(id, { access, keys });
    return [
      {
        id,
        spec: trigger,
        text: JSON.stringify([cron, timeZone, everyMs, atMs]),
        stream: Buffer.from(stream, 'latin1'),
        // The same tag: it is of the name as bytes.
        state: keys.schedule(access.tagOf(Buffer.from(id).toString('latin1')), id),
      },
    ];
  }

  /** A schedule counts from the moment it is first in force; a single time counts also when it has passed by then. */
  async #begin(schedule: KeptSchedule): Promise<void> {
    const since = schedule.spec.atMs === null ? Date.now() : 0;
    await OPEN.run(this.#options.access.client, [schedule.state], [schedule.text, since]);
    await this.#options.clock.set(schedule.id, schedule.spec);
    await this.#capture(schedule, Date.now());
  }

  async #onRing({ registrationId, atMs }: Ring): Promise<void> {
    const schedule = this.#schedules.get(registrationId);
    // This node may be behind the others: a rejected ring comes again, there or here.
    if (schedule === undefined) {
      const text = `no schedule ${registrationId} is in force on this node`;
      throw new PlatformError<SchedulerErrorCode>('NOT_CONVERGED', text, { retryable: true });
    }
    // Clocks of nodes differ: what rings is due, whatever ours says.
    await this.#capture(schedule, Math.max(atMs, Date.now()));
  }

  /** Writes what is due. */
  async #capture(schedule: KeptSchedule, untilMs: number): Promise<void> {
    const { spec, state } = schedule;
    let since = Number((await this.#options.access.client.hget(state, 'last')) ?? Number.NaN);
    if (Number.isNaN(since)) return;
    for (let written = 0; !this.#stopped; ) {
      const next = (afterMs: number): number | null => nextTimeMs(spec, afterMs);
      const due = decideDueTicks({ next, missed: spec.missed, sinceMs: since, untilMs });
      if (due.reachedMs === null) return;
      written += due.ticks.length;
      const isEnough = written >= MOST_MISSED;
      if (!(await this.#write(schedule, due, isEnough ? untilMs : due.reachedMs)) || !due.more) return;
      if (isEnough) {
        this.#options.log.warn({ registration: schedule.id, written }, 'too many missed ticks; the rest is left out');
        return;
      }
      since = due.reachedMs;
    }
  }

  /** False when the schedule is another one by now. */
  async #write({ id, text, stream, state }: KeptSchedule, { ticks }: DueTicks, reachedMs: number): Promise<boolean> {
    const { access, ring } = this.#options;
    const args = [text, id, Date.now(), reachedMs, ...ticks];
    const added = Number(await CAPTURE.run(access.client, [stream, state], args));
    if (added > 0) ring(stream.toString('latin1'));
    return added >= 0;
  }

  /** Whatever befell the clock: schedules that lost their job get it back, ticks nobody rang for are found. */
  #lookAround(): void {
    const look = async (): Promise<void> => {
      const { clock } = this.#options;
      for (const schedule of this.#schedules.values()) {
        await clock.set(schedule.id, schedule.spec);
        await this.#capture(schedule, Date.now());
      }
      const strays = (await clock.known()).filter((id) => !this.#schedules.has(id));
      for (const id of strays) if (this.#strays.has(id)) await clock.remove(id);
      this.#strays = new Set(strays);
    };
    look().catch((error: unknown) => this.#options.log.warn({ err: error }, 'schedules could not be looked after'));
  }
}
