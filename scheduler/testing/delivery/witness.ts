import { argsOf, createCommandScan, decodeReply, PlatformError, replyStarts, scanCommand } from '#functions';
import type { AtomicSession, CommandWays, EffectRound, Invocation, Rehearsal, SourcesSpec } from '#runtime';
import { type Reply, replyOf, textOf } from '../values.ts';
import { type CrashPoint, crashAt, describeCrash } from './crash-point.ts';
import type { SentCommand } from './delivery.ts';

export interface WitnessOptions {
  readonly sources: () => SourcesSpec;
  /** Kills the sandbox process and resolves when it is gone. */
  readonly kill: () => Promise<void>;
  /** `file:line:column` for a line of a stack. */
  readonly siteOf: (frame: string) => string;
}

/** Stands between a function and Redis: sees every command with its reply, and lets the sandbox die where a test wants it. */
export interface Witness extends Rehearsal {
  /** Begins a delivery: nothing of the one before is seen any more. */
  begin(crash: CrashPoint | null): void;
  /** The batches that follow hold these records of the event, in this order. */
  records(positions: readonly number[]): void;
  /** Where an entry sent its next commands. */
  noteSite(entry: number, command: number, frame: string): void;
  /** A command that left by another way: a hook handed it on. */
  handedOn(entry: number, args: readonly string[], send: () => Promise<string>): Promise<string>;
  /** Kills the sandbox if that is wanted between effects and acknowledgement. */
  acknowledge(): Promise<void>;
  readonly commands: readonly SentCommand[];
  readonly crashed: boolean;
}

type Noted = { -readonly [Field in keyof SentCommand]: SentCommand[Field] };

/** Commands that leave together, and where the text of each begins. */
interface Parsed {
  readonly args: readonly (readonly string[])[];
  readonly starts: readonly number[];
}

export function createWitness(options: WitnessOptions): Witness {
  return new EffectWitness(options);
}

class EffectWitness implements Witness {
  readonly #options: WitnessOptions;
  readonly #sites = new Map<string, string>();
  readonly #sentBy = new Map<number, number>();
  #commands: Noted[] = [];
  #records: readonly number[] = [];
  #crash: CrashPoint | null = null;
  #crashed = false;
  #units = 0;
  #sent = 0;

  constructor(options: WitnessOptions) {
    this.#options = options;
  }

  get commands(): readonly SentCommand[] {
    return this.#commands;
  }

  get crashed(): boolean {
    return this.#crashed;
  }

  begin(crash: CrashPoint | null): void {
    this.#commands = [];
    this.#crash = crash;
    this.#crashed = false;
    this.#units = 0;
    this.#sent = 0;
  }

  records(positions: readonly number[]): void {
    this.#records = positions;
  }

  sources(): SourcesSpec {
    return this.#options.sources();
  }

  noteSite(entry: number, command: number, frame: string): void {
    this.#sites.set(`${entry} ${command}`, frame);
  }

  ways(ways: CommandWays, _invocation: Invocation): CommandWays {
    this.#sites.clear();
    this.#sentBy.clear();
    return {
      policy: ways.policy,
      effects: {
        ...ways.effects,
        send: (round, policy) => this.#round(round, (part) => ways.effects.send(part, policy)),
      },
      sessions: {
        ...ways.sessions,
        open: (policy, entry) => this.#session(ways.sessions.open(policy, entry), entry ?? 0),
      },
    };
  }

  async handedOn(entry: number, args: readonly string[], send: () => Promise<string>): Promise<string> {
    const noted = this.#note(entry, args, this.#nextUnit());
    const reply = await this.#unit([noted], send);
    noted.reply = replyOf(reply);
    return reply;
  }

  async acknowledge(): Promise<void> {
    if (this.#crash === 'acknowledge') await this.#die();
  }

  async #round(round: EffectRound, send: (part: EffectRound) => Promise<string>): Promise<string> {
    if (this.#crashed) throw this.#lost();
    const parsed = parseCommands(round.commands, round.count);
    const noted = this.#noteRound(round, parsed);
    const cut = this.#cutOf(noted);
    const part = cut === null ? round : firstOf(round, cut, parsed.starts);
    this.#sent += part.count;
    if (cut !== null) this.#crashed = true;
    const replies = part.count === 0 ? '' : await send(part);
    setReplies(noted, replies, part.count);
    if (cut === null) return replies;
    await this.#die();
    throw this.#lost();
  }

  #noteRound(round: EffectRound, { args }: Parsed): Noted[] {
    let unit = 0;
    return args.map((one, at) => {
      const group = round.groups.find(([first, last]) => at >= first && at <= last);
      if (group === undefined || group[0] === at) unit = this.#nextUnit();
      return this.#note(round.owners[at] ?? 0, one, unit);
    });
  }

  /** How many of these commands happen before the crash; null when there is none among them. */
  #cutOf(noted: readonly Noted[]): number | null {
    for (let from = 0; from < noted.length; ) {
      let end = from + 1;
      while (end < noted.length && noted[end]?.unit === noted[from]?.unit) end += 1;
      const names = noted.slice(from, end).map(({ name }) => name);
      const where = crashAt(this.#crash, { names, sentBefore: this.#sent + from });
      if (where !== null) return where === 'before' ? from : end;
      from = end;
    }
    return null;
  }

  /** Sends what happens as one, unless the sandbox is to die before; or lets it die afterwards. */
  async #unit<T>(noted: readonly Noted[], send: () => Promise<T>): Promise<T> {
    if (this.#crashed) throw this.#lost();
    const where = crashAt(this.#crash, { names: noted.map(({ name }) => name), sentBefore: this.#sent });
    if (where !== null) this.#crashed = true;
    if (where !== 'before') this.#sent += noted.length;
    const result = where === 'before' ? null : await send();
    if (where === null) return result as T;
    await this.#die();
    throw this.#lost();
  }

  /** What a transaction reads happens at once; what it writes happens with its commit. */
  #session(inner: AtomicSession, entry: number): AtomicSession {
    const queued: Noted[] = [];
    return {
      command: async (text) => {
        if (this.#crashed) throw this.#lost();
        const noted = this.#note(entry, parseCommands(text, 1).args[0] ?? [], 0);
        const reply = await inner.command(text);
        if (reply === QUEUED) {
          queued.push(noted);
          return reply;
        }
        noted.unit = this.#nextUnit();
        noted.reply = replyOf(reply);
        return await this.#unit([noted], async () => reply);
      },
      commit: async () => {
        const unit = this.#nextUnit();
        for (const noted of queued) noted.unit = unit;
        return await this.#unit(queued, async () => {
          const reply = await inner.commit();
          setExecReplies(queued, reply);
          return reply;
        });
      },
      discard: () => inner.discard(),
    };
  }

  #note(entry: number, [name = '', ...args]: readonly string[], unit: number): Noted {
    const number = (this.#sentBy.get(entry) ?? 0) + 1;
    this.#sentBy.set(entry, number);
    const frame = this.#sites.get(`${entry} ${number}`) ?? '';
    const noted: Noted = {
      record: this.#records[entry] ?? entry,
      name: name.toUpperCase(),
      args: args.map(textOf),
      reply: undefined,
      at: frame === '' ? '' : this.#options.siteOf(frame),
      unit,
    };
    this.#commands.push(noted);
    return noted;
  }

  #nextUnit(): number {
    this.#units += 1;
    return this.#units;
  }

  async #die(): Promise<void> {
    this.#crashed = true;
    await this.#options.kill();
  }

  #lost(): PlatformError {
    const where = this.#crash === null ? '' : ` ${describeCrash(this.#crash)}`;
    return new PlatformError('SANDBOX_DIED', `the sandbox was killed${where}, as the test asked`, { retryable: true });
  }
}

const QUEUED = '+QUEUED\r\n';

function parseCommands(text: string, count: number): Parsed {
  const scan = createCommandScan();
  const args: string[][] = [];
  const starts: number[] = [];
  let at = 0;
  for (let position = 0; position < count; position += 1) {
    starts.push(at);
    scanCommand(text, at, scan);
    args.push(argsOf(text, scan));
    at = scan.end;
  }
  return { args, starts: [...starts, at] };
}

/** The first commands of a round, groups never cut. */
function firstOf(round: EffectRound, count: number, starts: readonly number[]): EffectRound {
  return {
    ...round,
    commands: round.commands.slice(0, starts[count]),
    count,
    groups: round.groups.filter(([, last]) => last < count),
    withheld: round.withheld === null ? null : new Set([...round.withheld].filter((position) => position < count)),
  };
}

function setReplies(noted: readonly Noted[], replies: string, count: number): void {
  const starts = replyStarts(replies, count);
  for (let at = 0; at < count; at += 1) {
    const one = noted[at];
    if (one !== undefined) one.reply = replyOf(replies.slice(starts[at], starts[at + 1] ?? replies.length));
  }
}

/** EXEC answers all writes with one list; anything else means that none of them has happened. */
function setExecReplies(queued: readonly Noted[], exec: string): void {
  const replies = replyOf(exec);
  if (!Array.isArray(decodeReply(exec))) return;
  for (const [at, reply] of (replies as readonly Reply[]).entries()) {
    const one = queued[at];
    if (one !== undefined) one.reply = reply;
  }
}
