import type { Logger } from 'pino';
import { defineScript, type RedisAccess } from '#functions';
import type { SchedulerKeys } from '../keys.ts';
import type { Fleet, PermitRequest, Permits } from './fleet.ts';
import { createPermitLine, type PermitLine, type PermitReport } from './permit-line.ts';
import { slotPrefix } from './slot-lease.ts';

export interface PermitsOptions {
  readonly access: Pick<RedisAccess, 'client' | 'openQueueClient'>;
  readonly keys: SchedulerKeys;
  readonly fleet: Pick<Fleet, 'self' | 'holdsSlot' | 'onConsumerGone'>;
  /** Default 1,000 ms. */
  readonly pollMs?: number;
  readonly log: Logger;
}

const TAKE = defineScript('take-permits', new URL('./scripts/take-permits.lua', import.meta.url));
const POLL_MS = 1_000;
/** As `lapses.ts` of the consumer: timers that are due come before what has arrived during a suspension. */
const LAPSE_WATCH_MS = 25;

/** Costs nothing until somebody asks for a permit. */
export function createPermits(options: PermitsOptions): Permits {
  return new FleetPermits(options);
}

class FleetPermits implements Permits {
  readonly #options: PermitsOptions;
  /** By registration. */
  readonly #lines = new Map<string, PermitLine>();
  readonly #forgetGone: () => void;
  #subscriber: ReturnType<RedisAccess['openQueueClient']> | null = null;
  #watch: NodeJS.Timeout | null = null;
  /** Whose permits are held. */
  #holder = '';
  #closed = false;

  constructor(options: PermitsOptions) {
    this.#options = options;
    this.#forgetGone = options.fleet.onConsumerGone(() => this.#wakeAll());
  }

  take(request: PermitRequest): ReturnType<Permits['take']> {
    if (this.#closed) return Promise.resolve(null);
    this.#open();
    const { registrationId } = request;
    const line = this.#lines.get(registrationId) ?? this.#createLine(registrationId);
    return line.take(request);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    this.#forgetGone();
    if (this.#watch !== null) clearInterval(this.#watch);
    for (const line of this.#lines.values()) line.close();
    this.#subscriber?.disconnect();
  }

  #open(): void {
    if (this.#watch !== null) return;
    const { access, keys } = this.#options;
    this.#holder = this.#holderNow();
    this.#watch = setInterval(() => this.#lookForLapse(), LAPSE_WATCH_MS).unref();
    const subscriber = access.openQueueClient('permits');
    this.#subscriber = subscriber;
    subscriber.on('error', () => {});
    subscriber.on('message', (_channel: string, registrationId: string) => this.#lines.get(registrationId)?.wake());
    // Rejects only when the client is closed meanwhile; it subscribes again by itself after every reconnection.
    subscriber.subscribe(keys.permitNews).catch(() => {});
  }

  #createLine(registrationId: string): PermitLine {
    const { fleet, log, pollMs = POLL_MS } = this.#options;
    const line = createPermitLine({
      report: (report) => this.#report(registrationId, report),
      mayAct: () => fleet.holdsSlot(),
      pollMs,
      onFailed: (err) => log.debug({ err, registration: registrationId }, 'permits could not be asked for'),
      onIdle: () => {
        if (this.#lines.get(registrationId) === line) this.#lines.delete(registrationId);
      },
    });
    this.#lines.set(registrationId, line);
    return line;
  }

  async #report(registrationId: string, { limit, used, wanted }: PermitReport): Promise<number> {
    const { access, keys } = this.#options;
    const args = [slotPrefix(keys), this.#holderNow(), limit, used, wanted, keys.permitNews, registrationId];
    return Number(await TAKE.run(access.client, [keys.permits(registrationId)], args));
  }

  /** Whatever was held before a lapse, or as another node, is no more. */
  #lookForLapse(): void {
    const holder = this.#holderNow();
    if (this.#options.fleet.holdsSlot() && holder === this.#holder) return;
    this.#holder = holder;
    for (const line of this.#lines.values()) line.lapse();
  }

  #wakeAll(): void {
    for (const line of this.#lines.values()) line.wake();
  }

  #holderNow(): string {
    const { consumer, token } = this.#options.fleet.self;
    return `${consumer}:${token}`;
  }
}
