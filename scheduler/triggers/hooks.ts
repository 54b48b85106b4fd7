import type { Logger } from 'pino';
import {
  type ActiveRegistration,
  decodeReply,
  encodeBulk,
  encodeCommand,
  type HookTriggerSpec,
  isReplyError,
  type LoadableVersion,
  latin1FromUtf8,
  type RedisAccess,
  type ReplyValue,
} from '#functions';
import type { Invocation, Outcome } from '#runtime';
import type { Journal } from '../journal/journal.ts';
import type { Settings } from '../settings.ts';
import { CommandLane } from './command-lane.ts';
import { DRAINING_REPLY, stoppedReply } from './command-reply.ts';
import type { Pass } from './interception.ts';
import { createLaneSchedule, untilEmpty } from './lane-schedule.ts';
import type { Trigger } from './trigger.ts';

/** Registrations that stand before commands of Redis. */
export interface HookTable {
  /** Names of hooked commands, lower case. */
  readonly names: ReadonlySet<string>;
  /** True when a hook stands before this very command. */
  concerns(args: readonly string[]): boolean;
  /** Runs the hooks before a command, newest first; `pass` is what is behind the last. Resolves with the client's reply. */
  run(args: readonly string[], pass: Pass): Promise<string>;
}

export interface HookTrigger extends Trigger, HookTable {}

export interface HookTriggerOptions {
  readonly execute: (invocation: Invocation) => Promise<Outcome>;
  readonly loadable: (functionName: string, version: number) => Promise<LoadableVersion>;
  readonly journal: Pick<Journal, 'count'>;
  readonly access: Pick<RedisAccess, 'tagOf' | 'commands'>;
  readonly settings: Pick<Settings, 'delivery'>;
  readonly log: Logger;
}

interface Hook {
  readonly lane: CommandLane;
  readonly trigger: HookTriggerSpec;
  /** latin1; null = every call. */
  readonly keyprefix: string | null;
}

const NOT_ONE = '-ERR Command hook must return exactly one result\r\n';
const NO_NAMES: ReadonlySet<string> = new Set();

export function createHookTrigger(options: HookTriggerOptions): HookTrigger {
  return new HookChain(options);
}

class HookChain implements HookTrigger {
  readonly kind = 'hook';
  readonly #options: HookTriggerOptions;
  readonly #stop = new AbortController();
  readonly #schedule = createLaneSchedule();
  /** By command; newest first. */
  #chains: ReadonlyMap<string, readonly Hook[]> = new Map();
  #lanes: ReadonlyMap<string, CommandLane> = new Map();
  #names: ReadonlySet<string> = NO_NAMES;

  constructor(options: HookTriggerOptions) {
    this.#options = options;
  }

  get names(): ReadonlySet<string> {
    return this.#names;
  }

  concerns(args: readonly string[]): boolean {
    return this.#chainOf(args).length > 0;
  }

  run(args: readonly string[], pass: Pass): Promise<string> {
    return this.#runFrom(this.#chainOf(args), args, pass);
  }

  async apply(registrations: readonly ActiveRegistration[]): Promise<void> {
    const hooked = registrations.filter(({ spec }) => spec.trigger.kind === 'hook').sort(newestFirst);
    const targets = await Promise.all(hooked.map((registration) => this.#load(registration)));
    const lanes = new Map<string, CommandLane>();
    const chains = new Map<string, Hook[]>();
    hooked.forEach((registration, at) => {
      const target = targets[at];
      const { trigger, id } = registration.spec;
      if (!target || trigger.kind !== 'hook') return;
      const lane = this.#laneFor(registration, target);
      lanes.set(id, lane);
      const keyprefix = trigger.keyprefix === null ? null : latin1FromUtf8(trigger.keyprefix);
      chains.set(trigger.hook, [...(chains.get(trigger.hook) ?? []), { lane, trigger, keyprefix }]);
    });
    this.#lanes = lanes;
    this.#chains = chains;
    this.#names = new Set(chains.keys());
    const aborting = [...lanes.values()].filter(({ registration }) => registration.abortsWork === true);
    await Promise.all(aborting.map((lane) => lane.abort()));
  }

  async drain(deadlineMs: number): Promise<void> {
    await untilEmpty(() => [...this.#lanes.values()].reduce((sum, lane) => sum + lane.size, 0), deadlineMs);
    for (const lane of this.#lanes.values()) lane.refuseWaiting(DRAINING_REPLY);
    this.#stop.abort();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.drain(0);
  }

  /** A hook that a person has paused lets its commands pass; one that has stopped itself does not. */
  #chainOf(args: readonly string[]): readonly Hook[] {
    const chain = this.#chains.get((args[0] ?? '').toLowerCase());
    if (chain === undefined) return [];
    const keys = this.#options.access.commands.keysOf(args);
    return chain.filter(
      ({ lane, keyprefix }) =>
        lane.registration.state !== 'paused' && (keyprefix === null || keys.some((key) => key.startsWith(keyprefix))),
    );
  }

  async #runFrom(chain: readonly Hook[], args: readonly string[], pass: Pass): Promise<string> {
    const [first, ...others] = chain;
    if (first === undefined) return pass(args);
    const { spec, state, stateReason } = first.lane.registration;
    if (state !== 'running') return stoppedReply(spec.id, state, stateReason);
    const [name = ''] = args;
    const next = async (command: string): Promise<string> => {
      const [, ...given] = decodeReply(command) as readonly string[];
      const sent = [name, ...given];
      // Whether the others stand before it depends on the keys it has now.
      const left = this.#chainOf(sent).filter((hook) => others.includes(hook));
      return asProtocol2(await this.#runFrom(left, sent, pass));
    };
    const reply = await new Promise<string>((answer) => first.lane.add({ args: encodeCommand(args), answer, next }));
    return onlyResult(reply);
  }

  async #load({ functionName, version, spec }: ActiveRegistration): Promise<LoadableVersion | null> {
    try {
      return await this.#options.loadable(functionName, version);
    } catch (error) {
      this.#options.log.error({ err: error, registration: spec.id, version }, 'the version of a hook cannot be read');
      return null;
    }
  }

  #laneFor(registration: ActiveRegistration, target: LoadableVersion): CommandLane {
    const { id } = registration.spec;
    const known = this.#lanes.get(id);
    if (known !== undefined) {
      known.update(registration, target);
      return known;
    }
    const { execute, journal, access, settings } = this.#options;
    const options = {
      registrationId: id,
      hashtag: access.tagOf(id),
      maxCalls: settings.delivery.maxInFlight,
      places: null,
      signal: this.#stop.signal,
      execute,
      count: (run: Parameters<typeof journal.count>[1]) => journal.count(id, run),
      schedule: this.#schedule,
    };
    return new CommandLane(options, registration, target);
  }
}

function newestFirst(a: ActiveRegistration, b: ActiveRegistration): number {
  const madeAt = ({ routes }: ActiveRegistration): number => routes[0]?.madeAtMs ?? 0;
  return madeAt(b) - madeAt(a) || b.spec.index - a.spec.index;
}

/** The one result of a hook is the reply. */
function onlyResult(reply: string): string {
  if (reply.startsWith('-')) return reply;
  return reply.startsWith('*1\r\n') ? reply.slice(4) : NOT_ONE;
}

/** What a client of RESP3 was sent, as functions read it. */
function asProtocol2(reply: string): string {
  return /^[*$:+-]/.test(reply) && !/\r\n[_%~,#(=]/.test(reply) ? reply : encodeValue(decodeReply(reply));
}

function encodeValue(value: ReplyValue): string {
  if (value === null) return '$-1\r\n';
  if (typeof value === 'number') return `:${value}\r\n`;
  if (typeof value === 'string') return encodeBulk(value);
  if (isReplyError(value)) return `-${value.message}\r\n`;
  return `*${value.length}\r\n${value.map(encodeValue).join('')}`;
}
