import type { Logger } from 'pino';
import { defineScript, type RedisAccess } from '#functions';
import type { Invocation, Outcome } from '#runtime';
import type { SchedulerKeys } from '../keys.ts';
import type { ExecutionSettings } from '../settings.ts';
import type { Options } from './options.ts';
import { createRunBuffer, type RunBuffer } from './run-buffer.ts';
import { runOptionsOf } from './run-options.ts';

/** What is kept of executions of a registration that ran together. */
export interface RegisteredRun {
  /** `<registration>@<number>`, unique; newer ones have greater numbers. */
  readonly id: string;
  readonly registrationId: string;
  readonly functionName: string;
  readonly version: number;
  /** Stream they read from; '' for events of keys at a door. */
  readonly key: string;
  readonly node: string;
  readonly startedAtMs: number;
  readonly durationMs: number;
  /** Executions, and the records they had. */
  readonly executions: number;
  readonly entries: number;
  readonly done: number;
  readonly filtered: number;
  readonly failed: number;
  /** Texts of the first errors. */
  readonly errors: readonly string[];
}

/**
 * The last executions of every registration, of all nodes: at most `MaxExecutionsPerRegistration`, the oldest go first, and none is
 * kept for longer than `execution-keep`. Written in the background for people to look at: recording never slows or fails an event,
 * and what an outage of Redis or the end of a node took is missing. Those of commands and hooks are not kept: their caller has heard.
 */
export interface RegisteredRuns extends AsyncDisposable {
  /** The same `execute`, with what it does recorded. */
  recording(execute: (invocation: Invocation) => Promise<Outcome>): (invocation: Invocation) => Promise<Outcome>;
  /** Of these registrations, oldest first. */
  list(registrationIds: readonly string[]): Promise<readonly RegisteredRun[]>;
  find(id: string): Promise<RegisteredRun | null>;
  /** False: there is none. */
  drop(id: string): Promise<boolean>;
}

export interface RegisteredRunsOptions {
  readonly access: Pick<RedisAccess, 'client'>;
  readonly keys: Pick<SchedulerKeys, 'registeredRuns'>;
  readonly options: Pick<Options, 'latest'>;
  readonly settings: ExecutionSettings;
  readonly nodeId: string;
  readonly log: Logger;
}

const FLUSH_MS = 250;
const LAST_FLUSH_MS = 1_000;
const APPEND = defineScript('append-runs', new URL('./scripts/append-runs.lua', import.meta.url));

export function createRegisteredRuns(options: RegisteredRunsOptions): RegisteredRuns {
  return new StoredRuns(options);
}

class StoredRuns implements RegisteredRuns {
  readonly #options: RegisteredRunsOptions;
  readonly #buffer: RunBuffer;
  readonly #timer: NodeJS.Timeout;
  #writing: Promise<void> | null = null;

  constructor(options: RegisteredRunsOptions) {
    this.#options = options;
    this.#buffer = createRunBuffer(options.nodeId, options.settings.perRegistration);
    this.#timer = setInterval(() => {
      this.#buffer.most = this.#most();
      // In an outage one write waits, and nothing else does.
      if (this.#writing === null) void this.#flush();
    }, FLUSH_MS).unref();
  }

  recording(execute: (invocation: Invocation) => Promise<Outcome>): (invocation: Invocation) => Promise<Outcome> {
    return (invocation) => this.#buffer.around(invocation, execute);
  }

  async list(registrationIds: readonly string[]): Promise<readonly RegisteredRun[]> {
    await this.#flush();
    const { client } = this.#options.access;
    const pipeline = client.pipeline();
    for (const id of registrationIds) pipeline.xrange(this.#options.keys.registeredRuns(id), '-', '+');
    const replies = (await pipeline.exec()) ?? [];
    const runs = replies.flatMap(([, entries], at) => {
      const id = registrationIds[at] ?? '';
      return Array.isArray(entries) ? (entries as Entry[]).map((entry) => runOf(id, entry)) : [];
    });
    return runs.sort((a, b) => a.startedAtMs - b.startedAtMs);
  }

  async find(id: string): Promise<RegisteredRun | null> {
    const at = placeOf(id);
    if (at === null) return null;
    await this.#flush();
    const { access, keys } = this.#options;
    const [entry] = await access.client.xrange(keys.registeredRuns(at.registrationId), at.number, at.number);
    return entry === undefined ? null : runOf(at.registrationId, entry as Entry);
  }

  async drop(id: string): Promise<boolean> {
    const at = placeOf(id);
    if (at === null) return false;
    const { access, keys } = this.#options;
    return (await access.client.xdel(keys.registeredRuns(at.registrationId), at.number)) === 1;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer);
    const deadline = Promise.withResolvers<void>();
    const timer = setTimeout(deadline.resolve, LAST_FLUSH_MS);
    await Promise.race([this.#flush(), deadline.promise]);
    clearTimeout(timer);
  }

  async #flush(): Promise<void> {
    await this.#writing;
    if (this.#buffer.isEmpty) return;
    this.#writing = this.#write()
      .catch((error: unknown) => this.#options.log.debug({ err: error }, 'executions of registrations were not kept'))
      .finally(() => {
        this.#writing = null;
      });
    await this.#writing;
  }

  async #write(): Promise<void> {
    const { access, keys, settings } = this.#options;
    const most = this.#most();
    for (const [id, runs] of this.#buffer.take()) {
      if (most > 0) await APPEND.run(access.client, [keys.registeredRuns(id)], [most, settings.keepMs, ...runs]);
    }
  }

  #most(): number {
    return runOptionsOf(this.#options.options.latest(), this.#options.settings).perRegistration;
  }
}

type Entry = readonly [number: string, fields: readonly string[]];

function runOf(registrationId: string, [number, fields]: Entry): RegisteredRun {
  const run = JSON.parse(fields[1] ?? '{}') as Omit<RegisteredRun, 'id' | 'registrationId'>;
  return { ...run, id: `${registrationId}@${number}`, registrationId };
}

function placeOf(id: string): { readonly registrationId: string; readonly number: string } | null {
  const at = id.lastIndexOf('@');
  const number = id.slice(at + 1);
  return at > 0 && /^\d+-\d+$/.test(number) ? { registrationId: id.slice(0, at), number } : null;
}
