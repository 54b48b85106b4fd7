import { isEntryId, PlatformError } from '#functions';
import { argumentBytes } from '../../gateway/operations/json-values.ts';

/** An event to try a function with, as it stands in a file of samples. Bytes are latin1. */
export type SampleEvent =
  | {
      readonly kind: 'stream';
      readonly stream: string;
      /** Null: now. */
      readonly id: string | null;
      readonly fields: readonly (readonly [name: string, value: string])[];
    }
  | { readonly kind: 'trigger'; readonly trigger: string; readonly args: readonly string[] }
  /** For a hook: the command that a client would send. */
  | { readonly kind: 'command'; readonly command: readonly string[] }
  | { readonly kind: 'key'; readonly key: string; readonly event: string }
  | { readonly kind: 'list'; readonly list: string; readonly item: string }
  | { readonly kind: 'channel'; readonly channel: string; readonly message: string }
  | { readonly kind: 'schedule'; readonly schedule: string }
  /** Sent to Redis through the door, for real. */
  | { readonly kind: 'send'; readonly send: readonly string[] };

export interface Sample {
  /** For people: the file, and the position in it where there are several. */
  readonly name: string;
  /** Only for this registration; null = for all that wait for such an event. */
  readonly registrationId: string | null;
  readonly event: SampleEvent;
}

type Fields = Readonly<Record<string, unknown>>;

interface Kind {
  /** Members beside the one that names the kind; the first ones must be there. */
  readonly members: readonly string[];
  readonly needed: number;
  read(fields: Fields, at: string): SampleEvent;
}

const KINDS: Readonly<Record<SampleEvent['kind'], Kind>> = {
  stream: {
    members: ['fields', 'id'],
    needed: 1,
    read: ({ stream, fields, id }, at) => {
      if (id !== undefined && (typeof id !== 'string' || !isEntryId(id)))
        throw wrong(at, { id }, 'an entry id such as "1700000000000-0"');
      return { kind: 'stream', stream: bytes(stream), id: id ?? null, fields: pairs(fields, at) };
    },
  },
  trigger: {
    members: ['args'],
    needed: 0,
    read: ({ trigger, args = [] }, at) => {
      if (typeof trigger !== 'string') throw wrong(at, { trigger }, 'the name of a trigger');
      return { kind: 'trigger', trigger, args: words('args', args, at) };
    },
  },
  command: {
    members: [],
    needed: 0,
    read: ({ command }, at) => ({ kind: 'command', command: sentence('command', command, at) }),
  },
  key: {
    members: ['event'],
    needed: 0,
    read: ({ key, event = 'set' }, at) => {
      if (typeof event !== 'string') throw wrong(at, { event }, 'the name of an event of Redis such as "hset"');
      return { kind: 'key', key: bytes(key), event };
    },
  },
  list: {
    members: ['item'],
    needed: 1,
    read: ({ list, item }) => ({ kind: 'list', list: bytes(list), item: bytes(item) }),
  },
  channel: {
    members: ['message'],
    needed: 1,
    read: ({ channel, message }) => ({ kind: 'channel', channel: bytes(channel), message: bytes(message) }),
  },
  schedule: {
    members: [],
    needed: 0,
    read: ({ schedule }, at) => {
      if (typeof schedule !== 'string') throw wrong(at, { schedule }, 'the id of a registration, or "*"');
      return { kind: 'schedule', schedule };
    },
  },
  send: {
    members: [],
    needed: 0,
    read: ({ send }, at) => ({ kind: 'send', send: sentence('send', send, at) }),
  },
};
const NAMES = Object.keys(KINDS) as SampleEvent['kind'][];

/** Samples of a file: one object, or a list of them. Errors: ARGUMENT_INVALID with the file and what is wrong. */
export function parseSamples(text: string, file: string): readonly Sample[] {
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch (cause) {
    throw new PlatformError('ARGUMENT_INVALID', `${file} is no JSON: ${(cause as Error).message}`, { cause });
  }
  if (!Array.isArray(content)) return [parseSample(content, file)];
  return content.map((each, at) => parseSample(each, `${file}[${at}]`));
}

function parseSample(content: unknown, at: string): Sample {
  if (typeof content !== 'object' || content === null || Array.isArray(content)) {
    throw wrong(at, { 'a sample': content }, 'an object');
  }
  const fields = content as Fields;
  const [name, ...others] = NAMES.filter((each) => Object.hasOwn(fields, each));
  if (name === undefined || others.length > 0) {
    const found = Object.keys(fields).join(', ') || 'nothing';
    throw new PlatformError('ARGUMENT_INVALID', `${at} has ${found}; a sample has exactly one of ${NAMES.join(', ')}`);
  }
  const { members, needed, read } = KINDS[name];
  const missing = members.slice(0, needed).find((each) => !Object.hasOwn(fields, each));
  if (missing !== undefined) throw new PlatformError('ARGUMENT_INVALID', `${at} has ${name} and no ${missing}`);
  const allowed = [name, ...members, 'registration'];
  const unknown = Object.keys(fields).find((each) => !allowed.includes(each));
  if (unknown !== undefined) {
    const text = `${at} has the member ${unknown}; beside ${name} allowed are ${[...members, 'registration'].join(', ')}`;
    throw new PlatformError('ARGUMENT_INVALID', text);
  }
  const { registration = null } = fields;
  if (registration !== null && typeof registration !== 'string') {
    throw wrong(at, { registration }, 'the id of a registration');
  }
  return { name: at, registrationId: registration, event: read(fields, at) };
}

/** An object, or a list of pairs where names come twice or are no text. */
function pairs(fields: unknown, at: string): readonly (readonly [string, string])[] {
  const list: unknown = isRecord(fields) ? Object.entries(fields) : fields;
  const isPairs = Array.isArray(list) && list.every((pair) => Array.isArray(pair) && pair.length === 2);
  if (!isPairs || list.length === 0)
    throw wrong(at, { fields }, 'an object, or a list of [name, value], with one at least');
  return (list as [unknown, unknown][]).map(([name, value]) => [bytes(name), bytes(value)] as const);
}

function isRecord(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function words(name: string, value: unknown, at: string): readonly string[] {
  if (Array.isArray(value)) return value.map(bytes);
  throw wrong(at, { [name]: value }, 'a list of arguments');
}

function sentence(name: string, value: unknown, at: string): readonly string[] {
  const list = words(name, value, at);
  if (list.length === 0) throw wrong(at, { [name]: value }, 'a command with its arguments');
  return list;
}

/** Text, a number or a boolean as text, the rest as JSON, and `{ "base64": … }` for bytes: as the HTTP API takes them. */
function bytes(value: unknown): string {
  return argumentBytes(value);
}

/** @param found the one thing that is wrong, by its name. */
function wrong(at: string, found: Fields, allowed: string): PlatformError {
  const [[name, value] = ['', undefined]] = Object.entries(found);
  const shown = JSON.stringify(value)?.slice(0, 100) ?? 'missing';
  return new PlatformError('ARGUMENT_INVALID', `${at}: ${name} is ${shown}; allowed is ${allowed}`);
}
