import { RemoteError } from './errors.ts';

export type AnyFunction = (...args: never) => unknown;

export interface LiteralOptions {
  /** How the value is called in errors, such as `with: rates`. */
  readonly what: string;
  /** Gives the expression for a function; without it functions are refused. */
  readonly functionOf?: (fn: AnyFunction) => string;
}

const MAX_DEPTH = 200;

/**
 * One line of JavaScript that makes the value anew: JSON values, undefined, dates, bigints, and bytes, which become
 * `Uint8Array`. Errors: VALUE_UNSENDABLE, which names the path of what is something else.
 */
export function literalOf(value: unknown, options: LiteralOptions): string {
  return new Writer(options).write(value, '', 0);
}

class Writer {
  readonly #options: LiteralOptions;

  constructor(options: LiteralOptions) {
    this.#options = options;
  }

  write(value: unknown, path: string, depth: number): string {
    switch (typeof value) {
      case 'string':
        return JSON.stringify(value);
      case 'number':
        return Object.is(value, -0) ? '-0' : String(value);
      case 'bigint':
        return `${value}n`;
      case 'boolean':
      case 'undefined':
        return String(value);
      case 'function':
        return this.#function(value as AnyFunction, path);
      case 'object':
        return value === null ? 'null' : this.#object(value, path, depth);
      default:
        throw this.#refusal(path, 'a symbol');
    }
  }

  #function(fn: AnyFunction, path: string): string {
    if (this.#options.functionOf !== undefined) return this.#options.functionOf(fn);
    throw this.#refusal(
      path,
      'a function, which has no name of its own there: pass it as one, .with({ name: function })',
    );
  }

  #object(value: object, path: string, depth: number): string {
    if (depth >= MAX_DEPTH) throw this.#refusal(path, `nested deeper than ${MAX_DEPTH} levels, or within itself`);
    if (value instanceof Date) return `new Date(${value.getTime()})`;
    if (value instanceof Uint8Array) return bytesLiteral(value);
    if (value instanceof ArrayBuffer) return bytesLiteral(new Uint8Array(value));
    if (Array.isArray(value)) {
      return `[${Array.from(value, (item, at) => this.write(item, `${path}[${at}]`, depth + 1)).join(', ')}]`;
    }
    if (!isPlain(value)) throw this.#refusal(path, `a ${value.constructor?.name || 'special object'}`);
    // A computed name is a name, whatever it says: __proto__, too.
    const members = Object.entries(value).map(
      ([name, member]) => `[${JSON.stringify(name)}]: ${this.write(member, `${path}.${name}`, depth + 1)}`,
    );
    return `{ ${members.join(', ')} }`;
  }

  #refusal(path: string, is: string): RemoteError {
    const { what } = this.#options;
    const allowed = 'JSON values, dates, bigints and bytes can be sent';
    return new RemoteError('VALUE_UNSENDABLE', `${what}${path.slice(0, 200)} is ${is}; ${allowed}`);
  }
}

/** An object as `{}` makes it, also one of another realm. */
function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

function bytesLiteral(bytes: Uint8Array): string {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
  return `Uint8Array.from(atob("${text}"), (c) => c.charCodeAt(0))`;
}
