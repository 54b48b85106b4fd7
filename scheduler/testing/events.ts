import type { Argument } from './values.ts';

/** Field → value of a stream entry. */
export type Fields = Readonly<Record<string, Argument>>;

/** A key as it is after an event, or as a batch run reads it. */
export interface KeyState {
  readonly key: string;
  /** `string`, `hash`, `list`, `set`, `zset`, `module`, `unknown` or `empty`. Default: what `value` looks like. */
  readonly type?: string;
  /** A text, an object for a hash, a list for a list; null for what functions get no value of. */
  readonly value?: Argument | null | readonly Argument[] | Fields;
}

/** Something that happened to a key. Without `type` and `value` the kit reads the key, as a platform does. */
export interface KeyEvent extends KeyState {
  /** Name of the keyspace event, such as `hset` or `expired`. */
  readonly event: string;
  /** The client's command, its name first, for registrations with `commands`. */
  readonly command?: readonly Argument[];
}

/** A tick of a schedule; see `TickRecord`. */
export interface Tick {
  /** When it was due, ms since the epoch. Default: what the function's clock shows. */
  readonly at?: number;
  /** Number of the tick. Default: 1, 2, … */
  readonly tick?: number;
  /** ms. Default 0. */
  readonly late?: number;
}

/** A message on a channel. */
export interface Message {
  readonly channel: string;
  readonly message: Argument;
  /** The pattern that matched; left out when the channel was named itself. */
  readonly pattern?: string;
}

/** Records of one reader that a function is given together: what `TestFunction.deliver` takes. Plain data, to be delivered again at will. */
export type TestEvent =
  | { readonly kind: 'stream'; readonly key: string; readonly entries: readonly (readonly [id: string, Fields])[] }
  | { readonly kind: 'command'; readonly calls: readonly (readonly Argument[])[] }
  | { readonly kind: 'hook'; readonly calls: readonly (readonly Argument[])[] }
  | { readonly kind: 'keys'; readonly events: readonly KeyEvent[] }
  | { readonly kind: 'items'; readonly key: string; readonly items: readonly Argument[] }
  | { readonly kind: 'messages'; readonly messages: readonly Message[] }
  | { readonly kind: 'ticks'; readonly ticks: readonly Tick[] }
  | { readonly kind: 'run'; readonly records: readonly RunRecord[] | null };

/** A record that a batch run is given instead of what is in Redis: a key, a key's name, or the fields of a stream entry. */
export type RunRecord = KeyState | string | Fields;

/**
 * Entries of a stream, in order: objects of fields, or pairs of id and fields. Entries without an id are numbered `1-1`,
 * `1-2` and so on.
 * @example
 * await clicks.deliver(streamEntries('events:web', { user: 'ann', page: '/home' }, ['1700000000000-0', { user: 'bob' }]));
 */
export function streamEntries(
  key: string,
  ...entries: readonly (Fields | readonly [id: string, fields: Fields])[]
): TestEvent {
  const isPair = (entry: (typeof entries)[number]): entry is readonly [string, Fields] => Array.isArray(entry);
  return {
    kind: 'stream',
    key,
    entries: entries.map((entry, at) => (isPair(entry) ? entry : ([`1-${at + 1}`, entry] as const))),
  };
}

/**
 * A call of `RG.TRIGGER`.
 * @example
 * const { results } = await greet.deliver(commandCall('greet', 'ann'));
 */
export function commandCall(trigger: string, ...args: readonly Argument[]): TestEvent {
  return { kind: 'command', calls: [[trigger, ...args]] };
}

/**
 * A client's command that a hook stands before; what the hook hands on with `callNext` goes to Redis.
 * @example
 * await audit.deliver(hookedCommand('HSET', 'user:1', 'name', 'Ann'));
 */
export function hookedCommand(name: string, ...args: readonly Argument[]): TestEvent {
  return { kind: 'hook', calls: [[name, ...args]] };
}

/**
 * Events of keys.
 * @example
 * await index.deliver(keyEvents({ event: 'hset', key: 'person:1', type: 'hash', value: { age: 42 } }));
 */
export function keyEvents(...events: readonly KeyEvent[]): TestEvent {
  return { kind: 'keys', events };
}

/**
 * Items taken from a list, in the order they are taken.
 * @example
 * await mails.deliver(listItems('mails', JSON.stringify({ to: 'ann' })));
 */
export function listItems(key: string, ...items: readonly Argument[]): TestEvent {
  return { kind: 'items', key, items };
}

/**
 * Published messages.
 * @example
 * await feed.deliver(messages({ channel: 'news', message: 'hello' }));
 */
export function messages(...published: readonly Message[]): TestEvent {
  return { kind: 'messages', messages: published };
}

/**
 * Ticks of a schedule; one, due now, when none is given.
 * @example
 * await report.deliver(ticks({ at: Date.UTC(2030, 0, 1) }));
 */
export function ticks(...due: readonly Tick[]): TestEvent {
  return { kind: 'ticks', ticks: due.length === 0 ? [{}] : due };
}

/**
 * The `run(…)` of a source: over what its reader finds in Redis, or over these records. A generator gives its own.
 * @example
 * const { results } = await ages.deliver(batchRun({ key: 'person:1', value: { age: 42 } }));
 */
export function batchRun(...records: readonly RunRecord[]): TestEvent {
  return { kind: 'run', records: records.length === 0 ? null : records };
}
