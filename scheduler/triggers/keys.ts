import type { Logger } from 'pino';
import { type ActiveRegistration, type CommandPipe, PlatformError, type RedisAccess } from '#functions';
import type { Invocation, Outcome } from '#runtime';
import type { EndedEntries } from '../consumer/contracts.ts';
import type { StreamLeases } from '../fleet/fleet.ts';
import type { SchedulerKeys } from '../keys.ts';
import type { Settings } from '../settings.ts';
import { keysPayload, type StoredEvent, storedEvents } from './keys-batch.ts';
import { createKeyCapture, type KeyCapture, tiesClients } from './keys-capture.ts';
import { createKeysListener, type KeysListener } from './keys-listener.ts';
import { createKeysTable, type KeysRegistration, type KeysTable } from './keys-table.ts';
import { createKeysWaiters, type KeysWaiters } from './keys-waiters.ts';
import { createKeysWriter, type KeysWriter } from './keys-writer.ts';
import { aroundOwnWrites } from './own-writes.ts';
import type { Trigger } from './trigger.ts';

type Execute = (invocation: Invocation) => Promise<Outcome>;

/** Changes of keys as a reason for something to run: heard from Redis, or taken at our own doors. */
export interface KeysTrigger extends Trigger {
  readonly kind: 'keys';
  readonly capture: KeyCapture;
  /**
   * What runs batches: like `execute`, but entries of registrations on keys get their values first, clients that wait for an
   * entry hear of its end, and what functions write is taken as an event.
   */
  readonly execute: Execute;
  /** Shards whose notifications this node hears. */
  readonly listening: readonly string[];
}

export interface KeysTriggerOptions {
  readonly access: RedisAccess;
  readonly leases: StreamLeases;
  readonly keys: SchedulerKeys;
  readonly settings: Pick<Settings, 'limits'>;
  /** `Runtime.execute`. */
  readonly execute: Execute;
  /** Tells the consumer of this node that a stream has news. */
  readonly ring: (stream: string) => void;
  readonly log: Logger;
}

/** Whose clients are told of ends. */
interface Told {
  readonly id: string;
  readonly events: readonly StoredEvent[];
  readonly isGivenUp: boolean;
}

/** A client waits a little longer than an execution may take. */
const WAIT_MARGIN_MS = 5_000;
const ONE_RESULT = '*1\r\n';

export function createKeysTrigger(options: KeysTriggerOptions): KeysTrigger {
  return new KeyEvents(options);
}

class KeyEvents implements KeysTrigger {
  readonly kind = 'keys';
  readonly capture: KeyCapture;
  readonly execute: Execute;
  readonly #options: KeysTriggerOptions;
  readonly #pipe: CommandPipe;
  readonly #writer: KeysWriter;
  readonly #waiters: KeysWaiters;
  readonly #listener: KeysListener;
  #table: KeysTable = createKeysTable([]);
  /** Also of registrations that are gone: what is in work still has to end. */
  readonly #known = new Map<string, KeysRegistration>();

  constructor(options: KeysTriggerOptions) {
    const { access, keys, leases, ring } = options;
    const log = options.log.child({ part: 'keys' });
    const timeoutMs = options.settings.limits.executionMs + WAIT_MARGIN_MS;
    this.#options = options;
    this.#pipe = access.openPipe('regears-values');
    this.#writer = createKeysWriter({ access, keys, ring });
    this.#waiters = createKeysWaiters({ access, keys, timeoutMs, log });
    this.#listener = createKeysListener({ access, leases, keys, writer: this.#writer, log });
    const table = (): KeysTable => this.#table;
    this.capture = createKeyCapture({ access, table, writer: this.#writer, waiters: this.#waiters });
    this.execute = (invocation) => this.#execute(invocation);
  }

  get listening(): readonly string[] {
    return this.#listener.shards;
  }

  async apply(registrations: readonly ActiveRegistration[]): Promise<void> {
    this.#table = createKeysTable(registrations);
    for (const [id, registration] of this.#table.registrations) this.#known.set(id, registration);
    await this.#listener.follow(this.#table);
  }

  async drain(): Promise<void> {
    await this.#listener.stop();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#listener[Symbol.asyncDispose]();
    await this.#waiters[Symbol.asyncDispose]();
    await this.#writer[Symbol.asyncDispose]();
    await this.#pipe[Symbol.asyncDispose]();
  }

  #execute(invocation: Invocation): Promise<Outcome> {
    const registration = this.#known.get(invocation.registrationId);
    if (registration !== undefined && invocation.shape === 'stream') return this.#run(invocation, registration);
    return this.#options.execute({ ...invocation, ...this.#around(false) });
  }

  async #run(invocation: Invocation, registration: KeysRegistration): Promise<Outcome> {
    const { trigger } = registration;
    const events = storedEvents(invocation.payload);
    const what = { type: trigger.readValue || trigger.keyTypes !== null, value: trigger.readValue };
    const payload = await keysPayload(this.#pipe, events, what);
    return this.#options.execute({
      ...invocation,
      ...this.#around(trigger.quiet),
      shape: 'keys',
      payload,
      wantResults: registration.commands !== null,
      onEnded: (ended) => {
        const isGivenUp = wasGivenUp(invocation.signal);
        if (tiesClients(registration)) this.#tell({ id: registration.id, events, isGivenUp }, ended);
        invocation.onEnded({ ...ended, results: null });
      },
    });
  }

  #around(quiet: boolean): Pick<Invocation, 'around'> {
    const around = aroundOwnWrites({ table: this.#table, writer: this.#writer, quiet });
    return around === undefined ? {} : { around };
  }

  /** Whatever becomes of a failed entry later: its client waits for the first try only. */
  #tell({ id, events, isGivenUp }: Told, { done, filtered, failed, results }: EndedEntries): void {
    const one = (position: number | undefined, result: string): void => {
      const token = position === undefined ? '' : (events[position]?.token ?? '');
      if (token !== '') this.#waiters.ended(token, id, result.startsWith(ONE_RESULT) ? result.slice(4) : '');
    };
    for (let i = 0; i < done.length; i += 1) one(done[i], results?.[i] ?? '');
    for (let i = 0; i < filtered.length; i += 1) one(filtered[i], '');
    for (const { index, kind } of failed) if (isGivenUp || kind !== 'interrupted') one(index, '');
  }
}

/** Nobody runs the entries again while somebody waits for them: their registration is being removed. */
function wasGivenUp({ aborted, reason }: AbortSignal): boolean {
  return aborted && reason instanceof PlatformError && reason.code === 'EXECUTION_ABORTED';
}
