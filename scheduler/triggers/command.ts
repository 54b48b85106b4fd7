import { randomUUID } from 'node:crypto';
import type { Logger } from 'pino';
import { type ActiveRegistration, type LoadableVersion, latin1FromUtf8, type RedisAccess } from '#functions';
import type { Invocation, Outcome, TraceContext } from '#runtime';
import { deliveryModeOf } from '../consumer/registration.ts';
import type { TokenBucket } from '../consumer/token-bucket.ts';
import type { Permits } from '../fleet/fleet.ts';
import type { Journal } from '../journal/journal.ts';
import type { AsyncQueue, CommandJob } from '../queues/async-queue.ts';
import type { Settings } from '../settings.ts';
import { type CallRates, createCallRates } from './call-rates.ts';
import type { Call } from './call-run.ts';
import type { NamedCall, TracedCalls } from './command-calls.ts';
import { CommandLane } from './command-lane.ts';
import {
  ABORTED_REPLY,
  DRAINING_REPLY,
  FILTERED_REPLY,
  fullReply,
  INTERRUPTED_REPLY,
  limitedReply,
  NOT_FOUND_REPLY,
  stoppedReply,
  thrownReply,
} from './command-reply.ts';
import { createLaneSchedule, untilEmpty } from './lane-schedule.ts';
import type { Trigger } from './trigger.ts';

export interface CommandTriggerOptions {
  readonly execute: (invocation: Invocation) => Promise<Outcome>;
  readonly loadable: (functionName: string, version: number) => Promise<LoadableVersion>;
  readonly queue: Pick<AsyncQueue, 'runCommand'>;
  readonly journal: Pick<Journal, 'count'>;
  readonly access: Pick<RedisAccess, 'tagOf'>;
  readonly takeTokens: TokenBucket;
  readonly permits: Permits;
  /** `delivery.maxInFlight` bounds the calls of one registration that wait or run on this node. */
  readonly settings: Pick<Settings, 'delivery' | 'limits'>;
  readonly log: Logger;
}

export interface CommandTrigger extends Trigger, TracedCalls {
  /** Runs a command of mode `async` that came by the queue; resolves with its RESP2 reply, errors included. */
  runCommand(job: CommandJob, signal: AbortSignal): Promise<string>;
}

/** A call of mode `async` is given up when no node has answered this long after its own time is up, ms. */
const QUEUE_MARGIN_MS = 30_000;

/** Turns `RG.TRIGGER` into invocations. */
export function createCommandTrigger(options: CommandTriggerOptions): CommandTrigger {
  return new LaneTable(options);
}

class LaneTable implements CommandTrigger {
  readonly kind = 'command';
  readonly #options: CommandTriggerOptions;
  /** By trigger name as clients send it: UTF-8 bytes as latin1. */
  #lanes: ReadonlyMap<string, CommandLane> = new Map();
  /** Lanes of former registrations whose calls are still in work. */
  readonly #leaving = new Set<CommandLane>();
  readonly #schedule = createLaneSchedule();
  readonly #stop = new AbortController();
  readonly #rates: CallRates;
  /** Answers of calls in the queue, by registration. */
  readonly #inQueue = new Map<string, Set<(reply: string) => void>>();
  #queued = 0;
  #isDraining = false;

  constructor(options: CommandTriggerOptions) {
    this.#options = options;
    this.#rates = createCallRates(options.takeTokens);
  }

  has(name: string): boolean {
    return this.#lanes.has(name);
  }

  call(name: string, args: string, answer: (reply: string) => void): void {
    this.#call(name, { args, answer });
  }

  callWithin(trace: TraceContext, { name, args, answer }: NamedCall): void {
    this.#call(name, { args, answer, trace });
  }

  #call(name: string, call: Call): void {
    const { args, answer } = call;
    const lane = this.#lanes.get(name);
    if (lane === undefined) answer(NOT_FOUND_REPLY);
    else if (this.#isDraining) answer(DRAINING_REPLY);
    else if (lane.registration.state !== 'running') answer(stoppedAnswer(lane));
    else if (!lane.wants(args)) answer(FILTERED_REPLY);
    else this.#admit(lane, name, call);
  }

  #admit(lane: CommandLane, name: string, call: Call): void {
    const { spec } = lane.registration;
    const rate = spec.flow?.rate ?? null;
    if (rate === null) this.#take(lane, name, call);
    else {
      this.#rates.ask(spec.id, rate, {
        go: () => this.#take(lane, name, call),
        refuse: (waitMs) => call.answer(limitedReply(spec.id, rate, waitMs)),
        fail: (error) => call.answer(thrownReply(error)),
      });
    }
  }

  #take(lane: CommandLane, name: string, call: Call): void {
    if (deliveryModeOf(lane.registration.spec) === 'async') this.#enqueue(lane, name, call);
    else lane.add(call);
  }

  async runCommand(job: CommandJob, signal: AbortSignal): Promise<string> {
    const lane = this.#lanes.get(job.trigger);
    if (lane === undefined) return NOT_FOUND_REPLY;
    if (lane.registration.state !== 'running') return stoppedAnswer(lane);
    const { promise, resolve } = Promise.withResolvers<string>();
    const onAbort = (): void => resolve(INTERRUPTED_REPLY);
    signal.addEventListener('abort', onAbort, { once: true });
    const args = Buffer.from(job.args, 'base64').toString('latin1');
    lane.add({ args, answer: resolve, ...(job.trace === undefined ? {} : { trace: job.trace }) });
    const reply = await promise;
    signal.removeEventListener('abort', onAbort);
    return reply;
  }

  async apply(registrations: readonly ActiveRegistration[]): Promise<void> {
    const commands = registrations.filter(({ spec }) => spec.trigger.kind === 'command');
    const targets = await Promise.all(commands.map((registration) => this.#load(registration)));
    const before = this.#lanes;
    const lanes = new Map<string, CommandLane>();
    commands.forEach((registration, i) => {
      const target = targets[i];
      if (target) lanes.set(nameOf(registration), this.#laneFor(before, registration, target));
    });
    this.#lanes = lanes;
    const aborting: Promise<void>[] = [];
    for (const [name, lane] of before) {
      const now = lanes.get(name);
      if (now === lane) {
        if (lane.registration.abortsWork === true) aborting.push(this.#abort(lane));
        if (lane.registration.state !== 'running') lane.refuseWaiting(stoppedAnswer(lane));
        continue;
      }
      lane.refuseWaiting(NOT_FOUND_REPLY);
      this.#leaving.add(lane);
    }
    for (const lane of this.#leaving) if (lane.size === 0) this.#leaving.delete(lane);
    await Promise.all(aborting);
  }

  async drain(deadlineMs: number): Promise<void> {
    this.#isDraining = true;
    await untilEmpty(() => this.#size(), deadlineMs);
    for (const lane of this.#lanes.values()) lane.refuseWaiting(DRAINING_REPLY);
    this.#stop.abort();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.drain(0);
  }

  #size(): number {
    let size = this.#queued;
    for (const lane of [...this.#lanes.values(), ...this.#leaving]) size += lane.size;
    return size;
  }

  /** Calls in work here end; those handed to the queue are answered, and whoever takes one does not run it any more. */
  async #abort(lane: CommandLane): Promise<void> {
    const aborted = lane.abort();
    for (const done of [...(this.#inQueue.get(lane.registration.spec.id) ?? [])]) done(ABORTED_REPLY);
    await aborted;
  }

  /** A registration whose version cannot be read is left out: its callers hear that there is no such command. */
  async #load({ functionName, version, spec }: ActiveRegistration): Promise<LoadableVersion | null> {
    try {
      return await this.#options.loadable(functionName, version);
    } catch (error) {
      this.#options.log.error(
        { err: error, registration: spec.id, version },
        'the version of a command cannot be read',
      );
      return null;
    }
  }

  #laneFor(
    before: ReadonlyMap<string, CommandLane>,
    registration: ActiveRegistration,
    target: LoadableVersion,
  ): CommandLane {
    const { id } = registration.spec;
    const existing = before.get(nameOf(registration));
    if (existing?.registration.spec.id === id) {
      existing.update(registration, target);
      return existing;
    }
    const { execute, journal, access, settings, permits } = this.#options;
    const options = {
      registrationId: id,
      hashtag: access.tagOf(nameOf(registration)),
      maxCalls: settings.delivery.maxInFlight,
      places: { permits, waitMs: settings.limits.executionMs },
      signal: this.#stop.signal,
      execute,
      count: (run: Parameters<typeof journal.count>[1]) => journal.count(id, run),
      schedule: this.#schedule,
    };
    return new CommandLane(options, registration, target);
  }

  #enqueue(lane: CommandLane, name: string, { args, answer, trace }: Call): void {
    const { queue, settings } = this.#options;
    const { id } = lane.registration.spec;
    if (this.#queued >= settings.delivery.maxInFlight) {
      answer(fullReply(id, settings.delivery.maxInFlight));
      return;
    }
    this.#queued += 1;
    const encoded = Buffer.from(args, 'latin1').toString('base64');
    const common: CommandJob = { kind: 'command', callId: randomUUID(), trigger: name, args: encoded };
    const job = trace === undefined ? common : { ...common, trace };
    const open = this.#inQueue.get(id) ?? new Set();
    this.#inQueue.set(id, open);
    const done = (reply: string): void => {
      if (!open.delete(done)) return;
      if (open.size === 0 && this.#inQueue.get(id) === open) this.#inQueue.delete(id);
      this.#queued -= 1;
      answer(reply);
    };
    open.add(done);
    queue.runCommand(job, settings.limits.executionMs + QUEUE_MARGIN_MS).then(done, (error: unknown) => {
      this.#options.log.warn({ err: error, registration: id }, 'a queued command got no answer');
      done(thrownReply(error));
    });
  }
}

function nameOf({ spec }: ActiveRegistration): string {
  return spec.trigger.kind === 'command' ? latin1FromUtf8(spec.trigger.trigger) : '';
}

function stoppedAnswer(lane: CommandLane): string {
  const { spec, state, stateReason } = lane.registration;
  return stoppedReply(spec.id, state, stateReason);
}
