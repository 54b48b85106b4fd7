import { describeError } from './describe.ts';
import { bytesOfBinary } from './encode.ts';
import { codeOf, guestError } from './errors.ts';
import {
  isArray,
  isFiniteNumber,
  NativeSet,
  ownKeys,
  quote,
  reflectApply,
  setAdd,
  setDelete,
  setHas,
  toText,
} from './primordials.ts';
import { valueOfBytes } from './text.ts';

const MAX_DEPTH = 200;

/** Bytes that may still be written; going below zero is an error that names the limit. */
export interface Budget {
  left: number;
  readonly limit: number;
}

/** Takes `bytes` off a budget. Called before the text is made, so that a giant one never comes into being. */
export function spend(budget: Budget, bytes: number): void {
  budget.left -= bytes;
  if (budget.left >= 0) return;
  throw guestError(
    'LIMIT_OUTPUT',
    `The results of one execution are above the limit of ${budget.limit} bytes (setting limit-output).`,
    'range',
  );
}

/** Where in a result a value stands, for messages; a chain from the value up to the result. */
export interface Path {
  readonly up: Path | null;
  readonly step: string;
}

export function showPath(path: Path | null): string {
  let text = '';
  let depth = 0;
  for (let at = path; at !== null && depth < 20; at = at.up, depth++) text = at.step + text;
  return `result${text}`;
}

/** Runs a read that user code may answer (getter, trap, toJSON); what it throws is told with its path. */
export function readAt<T>(read: () => T, path: Path | null): T {
  try {
    return read();
  } catch (thrown) {
    if (typeof thrown === 'object' && thrown !== null && codeOf(thrown) !== undefined) throw thrown;
    throw guestError('GUEST_ERROR', `Reading ${showPath(path)} failed: ${describeError(thrown).message}`, 'type');
  }
}

export interface JsonWriter {
  /** JSON text of a value, undefined for what JSON leaves out (undefined, functions, symbols). */
  write(value: unknown, path: Path | null): string | undefined;
}

/**
 * Writes JSON as JSON.stringify does, but counts against a budget while it writes, refuses cycles and depth beyond
 * 200 with the path in the message, writes bigints as numbers and bytes as text (UTF-8 where they are, else one character per byte).
 */
export function createJsonWriter(budget: Budget): JsonWriter {
  return new BoundedWriter(budget);
}

class BoundedWriter implements JsonWriter {
  readonly #budget: Budget;
  readonly #ancestors = new NativeSet<unknown>();
  #depth = 0;

  constructor(budget: Budget) {
    this.#budget = budget;
  }

  #bytesJson(bytes: string): string {
    spend(this.#budget, bytes.length + 2);
    const value = valueOfBytes(bytes);
    return quote(typeof value === 'string' ? value : bytes);
  }

  #listJson(list: readonly unknown[], path: Path | null): string {
    let text = '[';
    const length = readAt(() => list.length, path);
    for (let i = 0; i < length; i++) {
      const at = { up: path, step: `[${i}]` };
      const item =
        this.write(
          readAt(() => list[i], at),
          at,
        ) ?? 'null';
      spend(this.#budget, 5);
      text += i === 0 ? item : `,${item}`;
    }
    return `${text}]`;
  }

  #objectJson(object: Record<string, unknown>, path: Path | null): string {
    let text = '{';
    const keys = readAt(() => ownKeys(object), path);
    for (let i = 0; i < keys.length; i++) {
      const key = keys[i] as string;
      const at = { up: path, step: `.${key}` };
      const item = this.write(
        readAt(() => object[key], at),
        at,
      );
      if (item === undefined) continue;
      spend(this.#budget, key.length + 4);
      text += `${text === '{' ? '' : ','}${quote(key)}:${item}`;
    }
    return `${text}}`;
  }

  #containerJson(value: object, path: Path | null): string {
    if (this.#depth >= MAX_DEPTH) {
      throw guestError('GUEST_ERROR', `${showPath(path)} is nested deeper than ${MAX_DEPTH} levels.`, 'type');
    }
    if (setHas(this.#ancestors, value)) {
      throw guestError('GUEST_ERROR', `${showPath(path)} contains itself; a result must not have cycles.`, 'type');
    }
    setAdd(this.#ancestors, value);
    this.#depth++;
    spend(this.#budget, 2);
    const text = isArray(value)
      ? this.#listJson(value, path)
      : this.#objectJson(value as Record<string, unknown>, path);
    this.#depth--;
    setDelete(this.#ancestors, value);
    return text;
  }

  #objectValue(value: object, path: Path | null): string | undefined {
    const toJson = readAt(() => (value as { toJSON?: unknown }).toJSON, path);
    if (typeof toJson === 'function') {
      const replaced = readAt(() => reflectApply(toJson as never, value, ['']) as unknown, path);
      return typeof replaced === 'object' && replaced !== null
        ? this.#plainValue(replaced, path)
        : this.write(replaced, path);
    }
    return this.#plainValue(value, path);
  }

  #plainValue(value: object, path: Path | null): string {
    const bytes = bytesOfBinary(value);
    return bytes === undefined ? this.#containerJson(value, path) : this.#bytesJson(bytes);
  }

  /** Lists and objects come back here. */
  write(value: unknown, path: Path | null): string | undefined {
    switch (typeof value) {
      case 'string':
        spend(this.#budget, value.length + 2);
        return quote(value);
      case 'number':
        spend(this.#budget, 4);
        return isFiniteNumber(value) ? toText(value) : 'null';
      case 'bigint':
      case 'boolean':
        spend(this.#budget, 4);
        return toText(value);
      case 'object':
        return value === null ? 'null' : this.#objectValue(value, path);
      default:
        return undefined;
    }
  }
}
