import { encodeBulk, encodeCommand, latin1FromUtf8, type RegistrationSpec } from '#functions';
import type { Invocation } from '#runtime';
import type { Fields, KeyEvent, KeyState, TestEvent } from '../events.ts';
import { type Argument, encodeReply, latin1Of, type Reply } from '../values.ts';

/** A record on its way into a function. */
export interface PreparedRecord {
  /** RESP text of the entry. */
  readonly text: string;
  /** A field as the `filter` of a registration sees it, latin1; undefined = there is none of that name. */
  readonly field: (name: string) => string | undefined;
}

/** The records of an event, as a platform would hand them over. */
export interface PreparedEvent {
  readonly shape: Invocation['shape'];
  /** Key of the stream, latin1; else ''. */
  readonly key: string;
  readonly records: readonly PreparedRecord[];
}

export interface PrepareOptions {
  readonly spec: RegistrationSpec;
  readonly nowMs: number;
}

/** Events but those of keys that have to be read first, and batch runs. */
export function prepareEvent(event: TestEvent, { spec, nowMs }: PrepareOptions): PreparedEvent {
  switch (event.kind) {
    case 'stream':
      return {
        shape: 'stream',
        key: latin1FromUtf8(event.key),
        records: event.entries.map(([id, fields]) => entry(id, latin1Fields(fields))),
      };
    case 'command':
    case 'hook':
      return { shape: event.kind, key: '', records: event.calls.map(call) };
    case 'items':
      return captured(event.items.map((item) => ({ key: event.key, value: item })));
    case 'messages':
      return captured(event.messages.map(({ channel, pattern = '', message }) => ({ channel, pattern, message })));
    case 'ticks':
      return captured(
        event.ticks.map(({ at = nowMs, tick, late = 0 }, index) => ({
          schedule: spec.id,
          at,
          tick: tick ?? index + 1,
          late,
        })),
      );
    default:
      return { shape: 'stream', key: '', records: [] };
  }
}

/** What platforms keep of ticks, items and messages: entries of a stream of their own. */
function captured(all: readonly Fields[]): PreparedEvent {
  return { shape: 'stream', key: '', records: all.map((fields, at) => entry(`1-${at + 1}`, latin1Fields(fields))) };
}

function latin1Fields(fields: Fields): ReadonlyMap<string, string> {
  return new Map(Object.entries(fields).map(([name, value]) => [latin1FromUtf8(name), latin1Of(value)] as const));
}

function entry(id: string, fields: ReadonlyMap<string, string>): PreparedRecord {
  const flat = [...fields].flat();
  return { text: `*2\r\n${encodeBulk(id)}${encodeCommand(flat)}`, field: (name) => fields.get(name) };
}

function call(args: readonly Argument[]): PreparedRecord {
  const texts = args.map(latin1Of);
  return { text: encodeCommand(texts), field: (name) => texts[Number(name)] };
}

const NIL = '$-1\r\n';

/** An event of a key whose type and value are given. */
export function keyRecord(event: KeyEvent, wants: { readonly type: boolean; readonly value: boolean }): PreparedRecord {
  const key = latin1FromUtf8(event.key);
  const name = latin1FromUtf8(event.event);
  const size = 3 + (wants.type ? 1 : 0) + (wants.value ? 1 : 0);
  const command = event.command === undefined ? NIL : encodeCommand(event.command.map(latin1Of));
  const type = wants.type ? encodeBulk(keyTypeOf(event)) : '';
  const value = wants.value ? keyValueOf(event) : '';
  return {
    text: `*${size}\r\n${encodeBulk(key)}${encodeBulk(name)}${command}${type}${value}`,
    field: (field) => (field === 'key' ? key : name),
  };
}

/** In the words of records: what a value looks like, where nothing is said. */
export function keyTypeOf({ type, value }: KeyState): string {
  if (type !== undefined) return type;
  if (value === undefined || value === null) return 'empty';
  if (Array.isArray(value)) return 'list';
  return typeof value === 'object' && !(value instanceof Uint8Array) ? 'hash' : 'string';
}

/** The reply of the command that reads a key of this type. */
export function keyValueOf({ value }: KeyState): string {
  if (value === undefined || value === null) return NIL;
  if (typeof value !== 'object' || value instanceof Uint8Array) return encodeBulk(latin1Of(value));
  const flat = Array.isArray(value) ? (value as readonly Argument[]) : Object.entries(value as Fields).flat();
  return encodeReply(flat.map((one): Reply => (one instanceof Uint8Array ? one : String(one))));
}
