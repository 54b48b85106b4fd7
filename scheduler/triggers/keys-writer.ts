import { type CommandPipe, decodeReply, defineScript, latin1FromUtf8, type RedisAccess, unlessError } from '#functions';
import { keyEventTag } from '../consumer/key-streams.ts';
import { createRedisCalls, type RedisCalls } from '../consumer/redis-calls.ts';
import type { SchedulerKeys } from '../keys.ts';
import type { KeysRegistration } from './keys-table.ts';

/** An event on its way into the streams of registrations. */
export interface TakenEvent {
  readonly event: string;
  /** latin1. */
  readonly key: string;
  readonly certain: boolean;
  /** `performance.now` before the command was sent. */
  readonly sentAtMs: number;
  readonly shared: readonly KeysRegistration[];
  readonly linked: readonly KeysRegistration[];
  /** RESP array of the client's command; '' = nobody asks for it. */
  readonly command: string;
  /** Who waits for the executions, '' = nobody. */
  readonly token: string;
}

/** Who says so; see scripts/take-events.lua. */
export type EventOrigin = 'door' | 'heard' | 'hush' | 'unhush';

export interface KeysWriter extends AsyncDisposable {
  /** Before commands on these keys are sent: from then on it is known what Redis' clock shows. Mostly at once. */
  ready(events: readonly Pick<TakenEvent, 'key'>[]): Promise<void>;
  /**
   * Writes events; resolves when they are in Redis, through outages of any length. True per event when it was written for the
   * registrations that writes of any origin reach; false when it is there already.
   * @param epoch of the listener, '' for others.
   */
  write(origin: EventOrigin, events: readonly TakenEvent[], epoch?: string): Promise<readonly boolean[]>;
}

export interface KeysWriterOptions {
  readonly access: Pick<RedisAccess, 'tagOf' | 'shardOf' | 'openPipe'>;
  readonly keys: Pick<SchedulerKeys, 'captured' | 'listener' | 'credit'>;
  /** Tells the consumer of this node that a stream has news. */
  readonly ring: (stream: string) => void;
}

const TAKE_EVENTS = defineScript('take-events', new URL('./scripts/take-events.lua', import.meta.url));
const MOST_EVENTS = 200;
/** Rounding, and clocks that are not equally fast. */
const CLOCK_SLACK_MS = 2;

/** A moment of Redis' clock that has certainly passed when ours showed `localMs`. */
interface ClockMark {
  readonly redisMs: number;
  readonly localMs: number;
}

/** Events that one script call writes: those of one tag and one shard. */
interface Part {
  readonly tag: string;
  readonly shardId: string;
  readonly origin: EventOrigin;
  readonly epoch: string;
  readonly events: readonly TakenEvent[];
  /** Of each event among all that `write` was given. */
  readonly positions: readonly number[];
}

export function createKeysWriter(options: KeysWriterOptions): KeysWriter {
  return new ScriptWriter(options);
}

class ScriptWriter implements KeysWriter {
  readonly #options: KeysWriterOptions;
  readonly #pipe: CommandPipe;
  readonly #calls: RedisCalls;
  /** By tag. */
  readonly #clocks = new Map<string, ClockMark>();

  constructor(options: KeysWriterOptions) {
    this.#options = options;
    this.#pipe = options.access.openPipe('regears-keys');
    this.#calls = createRedisCalls(this.#pipe);
  }

  async ready(events: readonly Pick<TakenEvent, 'key'>[]): Promise<void> {
    const { access } = this.#options;
    const unknown = new Map(
      events.map(({ key }) => [keyEventTag(key, access), key] as const).filter(([tag]) => !this.#clocks.has(tag)),
    );
    const ask = ([tag, key]: readonly [string, string]): Promise<unknown> =>
      this.#call({ tag, shardId: access.shardOf(key).id, origin: 'unhush', epoch: '', events: [], positions: [] });
    await Promise.all([...unknown].map(ask));
  }

  async write(origin: EventOrigin, events: readonly TakenEvent[], epoch = ''): Promise<readonly boolean[]> {
    const written: boolean[] = events.map(() => false);
    const lines = [...this.#split(events).values()].map(async (positions) => {
      for (let from = 0; from < positions.length; from += MOST_EVENTS) {
        const part = this.#partOf(events, positions.slice(from, from + MOST_EVENTS));
        const results = await this.#call({ ...part, origin, epoch });
        part.positions.forEach((position, at) => {
          written[position] = results[at] === true;
        });
      }
    });
    await Promise.all(lines);
    return written;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#calls[Symbol.asyncDispose]();
    await this.#pipe[Symbol.asyncDispose]();
  }

  #split(events: readonly TakenEvent[]): ReadonlyMap<string, number[]> {
    const { access } = this.#options;
    const lines = new Map<string, number[]>();
    events.forEach(({ key }, at) => {
      const name = `${keyEventTag(key, access)} ${access.shardOf(key).id}`;
      const known = lines.get(name);
      if (known === undefined) lines.set(name, [at]);
      else known.push(at);
    });
    return lines;
  }

  #partOf(events: readonly TakenEvent[], positions: readonly number[]): Omit<Part, 'origin' | 'epoch'> {
    const { access } = this.#options;
    const { key } = events[positions[0] as number] as TakenEvent;
    const chosen = positions.map((position) => events[position] as TakenEvent);
    return { tag: keyEventTag(key, access), shardId: access.shardOf(key).id, events: chosen, positions };
  }

  async #call({ tag, shardId, origin, epoch, events }: Part): Promise<readonly boolean[]> {
    const { keys, ring } = this.#options;
    const streams = new Map<string, number>();
    const positionOf = ({ id }: KeysRegistration): string => {
      const stream = keys.captured(tag, latin1FromUtf8(id));
      const known = streams.get(stream) ?? streams.size + 1;
      streams.set(stream, known);
      return String(known);
    };
    const args = events.flatMap((event) => {
      const fields = fieldsOf(event);
      const shared = event.shared.map(positionOf);
      const linked = event.linked.map(positionOf);
      const head = [event.certain ? '1' : '0', String(this.#redisTime(tag, event.sentAtMs)), String(fields.length)];
      return [...head, ...fields, String(shared.length), ...shared, String(linked.length), ...linked];
    });
    const credits = events.map(({ event, key }) => keys.credit(tag, event, key));
    const names = [keys.listener(tag, shardId), ...streams.keys(), ...credits];
    const head = [origin, epoch, String(streams.size), String(events.length)];
    const reply = await this.#calls.script(TAKE_EVENTS, names, [...head, ...args]);
    const [timeMs = 0, ...written] = unlessError(decodeReply(reply)) as readonly number[];
    this.#clocks.set(tag, { redisMs: timeMs, localMs: performance.now() });
    if (origin === 'door' || origin === 'heard') for (const stream of streams.keys()) ring(stream);
    return written.map((one) => one === 1);
  }

  /** Never later than the moment in question, so that no credit is overlooked. */
  #redisTime(tag: string, localMs: number): number {
    const mark = this.#clocks.get(tag);
    return mark === undefined ? 0 : Math.floor(mark.redisMs + (localMs - mark.localMs)) - CLOCK_SLACK_MS;
  }
}

/** As keys-batch.ts reads them. */
function fieldsOf({ event, key, command, token }: TakenEvent): string[] {
  const fields = ['k', key, 'e', event];
  if (command !== '') fields.push('c', command);
  if (token !== '') fields.push('w', token);
  return fields;
}
