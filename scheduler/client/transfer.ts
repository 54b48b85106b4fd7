/**
 * The last step of every run: a result as one line of JSON, with marks (`{ $: …, v: … }`) for what JSON has not. It is sent
 * as the functions of users are, so it uses nothing around it.
 */
export function pack(result: unknown): string {
  const mark = ($: string, v: unknown): unknown => ({ $, v });
  const refuse = (path: string, is: string): TypeError =>
    new TypeError(`the result${path} is ${is}, which cannot be sent`);
  const binary = (bytes: Uint8Array): unknown => {
    let text = '';
    for (let at = 0; at < bytes.length; at += 4_096) text += String.fromCharCode(...bytes.subarray(at, at + 4_096));
    return mark('b', btoa(text));
  };
  const members = (value: object, path: string, depth: number): unknown => {
    const entries = Object.entries(value).filter(([, member]) => member !== undefined);
    if (value instanceof Error) entries.unshift(['name', value.name], ['message', value.message]);
    const walked = entries.map(([name, member]) => [name, walk(member, `${path}.${name}`, depth)]);
    return Object.hasOwn(value, '$') ? mark('o', walked) : (Object.fromEntries(walked) as unknown);
  };
  const collection = (value: object, path: string, depth: number): unknown => {
    const items = (list: Iterable<unknown>): unknown[] =>
      Array.from(list, (each, at) => walk(each ?? null, `${path}[${at}]`, depth));
    if (Array.isArray(value)) return items(value);
    if (value instanceof Map) return mark('m', items(value));
    return value instanceof Set ? mark('s', items(value)) : members(value, path, depth);
  };
  const object = (value: object, path: string, depth: number): unknown => {
    if (depth > 200) throw refuse(path.slice(0, 100), 'nested deeper than 200 levels, or within itself');
    if (value instanceof Uint8Array) return binary(value);
    if (value instanceof ArrayBuffer) return binary(new Uint8Array(value));
    if (value instanceof Date) return mark('d', value.getTime());
    if (value instanceof Promise) throw refuse(path, 'a promise');
    return collection(value, path, depth);
  };
  const number = (value: number): unknown =>
    Number.isFinite(value) && !Object.is(value, -0) ? value : mark('n', Object.is(value, -0) ? '-0' : String(value));
  const walk = (value: unknown, path: string, depth: number): unknown => {
    if (typeof value === 'number') return number(value);
    if (typeof value === 'bigint') return mark('i', String(value));
    if (value === undefined) return mark('u', null);
    if (typeof value === 'function' || typeof value === 'symbol') throw refuse(path, `a ${typeof value}`);
    return typeof value === 'object' && value !== null ? object(value, path, depth + 1) : value;
  };
  // A reply that began with + or - would be no text.
  return ` ${JSON.stringify(walk(result, '', 0))}`;
}

interface Mark {
  readonly $: string;
  readonly v: never;
}

/** What `pack` made of a result. `undefined` in objects is left out, in lists it is null, as JSON has it. */
export function unpack(text: string): unknown {
  return JSON.parse(text, (_, value: unknown) => (isMark(value) ? unmark(value) : value));
}

function isMark(value: unknown): value is Mark {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, '$') && Object.hasOwn(value, 'v');
}

function unmark({ $, v }: Mark): unknown {
  switch ($) {
    case 'n':
      return Number(v);
    case 'i':
      return BigInt(v);
    case 'd':
      return new Date(v ?? Number.NaN);
    case 'b':
      return new Uint8Array(Buffer.from(v, 'base64'));
    case 'm':
      return new Map(v);
    case 's':
      return new Set(v);
    case 'o':
      return Object.fromEntries(v);
    default:
      return undefined;
  }
}
