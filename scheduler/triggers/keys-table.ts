import { type ActiveRegistration, type KeysTriggerSpec, latin1FromUtf8 } from '#functions';
import { type EventFilter, eventFilterOf } from '../consumer/event-filter.ts';
import { commandsRaising, READING_COMMANDS } from './key-events.ts';

/** A registration on keys in the form in which events are compared with it. */
export interface KeysRegistration {
  readonly id: string;
  readonly active: ActiveRegistration;
  readonly trigger: KeysTriggerSpec;
  /** latin1; without the star when `isPrefix`. */
  readonly pattern: string;
  readonly isPrefix: boolean;
  /** Lower case; null = all but `keymiss`. */
  readonly events: ReadonlySet<string> | null;
  /** Lower case; null = writes of any origin count. */
  readonly commands: ReadonlySet<string> | null;
  /** What it does not match is not taken up; null = everything is. */
  readonly filter: EventFilter | null;
  readonly isRunning: boolean;
}

/** What the registrations on keys ask for, at one revision. */
export interface KeysTable {
  readonly registrations: ReadonlyMap<string, KeysRegistration>;
  /** Names of commands, lower case, that must be looked at. */
  readonly names: ReadonlySet<string>;
  /** True when some registration wants events of any origin. */
  readonly listens: boolean;
  /** Registrations that writes of any origin reach. */
  shared(event: string, key: string): readonly KeysRegistration[];
  /** Registrations that only this command reaches. */
  linked(command: string, event: string, key: string): readonly KeysRegistration[];
  /** True when the command on these keys may raise an event that somebody wants. */
  concerns(command: string, keys: readonly string[]): boolean;
  /** True when somebody wants to know that this key was looked for and not there. */
  wantsMiss(command: string, key: string): boolean;
}

export const KEY_MISS = 'keymiss';

export function createKeysTable(active: readonly ActiveRegistration[]): KeysTable {
  const all = active.flatMap((one) =>
    one.spec.trigger.kind === 'keys' ? [registrationOf(one, one.spec.trigger)] : [],
  );
  const shared = all.filter(({ commands }) => commands === null);
  const linked = all.filter(({ commands }) => commands !== null);
  const names = new Set(all.flatMap(namesOf));
  const ofCommand = (command: string, key: string): readonly KeysRegistration[] =>
    all.filter((one) => matchesKey(one, key) && (one.commands === null || one.commands.has(command)));
  return {
    registrations: new Map(all.map((one) => [one.id, one])),
    names,
    listens: shared.length > 0,
    shared: (event, key) => shared.filter((one) => matches(one, event, key)),
    linked: (command, event, key) => linked.filter((one) => one.commands?.has(command) && matches(one, event, key)),
    concerns: (command, keys) => names.has(command) && keys.some((key) => ofCommand(command, key).length > 0),
    wantsMiss: (command, key) => ofCommand(command, key).some((one) => matches(one, KEY_MISS, key)),
  };
}

function registrationOf(active: ActiveRegistration, trigger: KeysTriggerSpec): KeysRegistration {
  const isPrefix = trigger.prefix.endsWith('*');
  return {
    id: active.spec.id,
    active,
    trigger,
    pattern: latin1FromUtf8(isPrefix ? trigger.prefix.slice(0, -1) : trigger.prefix),
    isPrefix,
    events: trigger.eventTypes === null ? null : new Set(withAliases(trigger.eventTypes)),
    commands: trigger.commands === null ? null : new Set(trigger.commands),
    filter: eventFilterOf(active.spec),
    isRunning: active.state === 'running',
  };
}

/** HMSET raises the event of HSET. */
function withAliases(events: readonly string[]): readonly string[] {
  return events.includes('hmset') ? [...events, 'hset'] : events;
}

function namesOf({ events, commands }: KeysRegistration): readonly string[] {
  if (commands !== null) return [...commands];
  return [...commandsRaising(events), ...(events?.has(KEY_MISS) ? READING_COMMANDS : [])];
}

function matches(one: KeysRegistration, event: string, key: string): boolean {
  if (!matchesKey(one, key) || !matchesEvent(one, event)) return false;
  const { filter } = one;
  return filter === null || filter.accepts(filter.fields.map((name) => (name === 'key' ? key : event)));
}

function matchesKey({ pattern, isPrefix }: KeysRegistration, key: string): boolean {
  return isPrefix ? key.startsWith(pattern) : key === pattern;
}

function matchesEvent({ events }: KeysRegistration, event: string): boolean {
  return events === null ? event !== KEY_MISS : events.has(event);
}
