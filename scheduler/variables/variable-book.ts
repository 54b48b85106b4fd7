import { setTimeout as sleep } from 'node:timers/promises';
import {
  createRedactor,
  type FunctionRecord,
  type KeyRing,
  type PlatformError,
  type Redactor,
  type Registry,
  type RegistrySnapshot,
} from '#functions';
import type { VariablesSource } from '#runtime';
import type { Log } from '../log.ts';
import { openPage, type VariablePage } from './variable-page.ts';

/** What functions may read by name, as this node can open it: in memory here, and nowhere on disk. */
export interface VariableBook extends VariablesSource, Disposable {
  /**
   * Brings the book to a snapshot: reads the variables of functions that have changed. Comes before their triggers are told. Is tried
   * until it succeeds, or the book is closed.
   */
  refresh(snapshot: RegistrySnapshot, read: ReadVariables): Promise<void>;
  /** Why the active version of a function must not run on this node, SECRET_MISSING or SECRET_UNREADABLE; null when it may. */
  reasonAgainst(functionName: string): PlatformError | null;
}

/** @see Registry.variables */
export type ReadVariables = Registry['variables'];

export interface VariableBookOptions {
  readonly keyRing: KeyRing;
  readonly log: Log;
}

const AGAIN_MS = 500;
const NOTHING = { revision: 0, variables: [] };

export function createVariableBook(options: VariableBookOptions): VariableBook {
  return new Book(options);
}

class Book implements VariableBook {
  readonly #options: VariableBookOptions;
  /** Of functions that have variables or ask for secrets; all others have no page. */
  #pages: ReadonlyMap<string, VariablePage> = new Map();
  #reasons: ReadonlyMap<string, PlatformError> = new Map();
  #redactor: Redactor | null = null;
  #closed = false;

  constructor(options: VariableBookOptions) {
    this.#options = options;
  }

  of(target: Parameters<VariablesSource['of']>[0]): ReturnType<VariablesSource['of']> {
    // A script, or a source that is only tried: it is nobody's function yet.
    if (target.version === 0) return null;
    const page = this.#pages.get(target.functionName);
    if (page !== undefined) return page.of(target);
    if (target.secrets === undefined || target.secrets.length === 0) return null;
    return openPage(target.functionName, NOTHING, this.#options.keyRing).of(target);
  }

  redact(text: string): string {
    return this.#redactor?.text(text) ?? text;
  }

  reasonAgainst(functionName: string): PlatformError | null {
    return this.#reasons.get(functionName) ?? null;
  }

  async refresh({ functions }: RegistrySnapshot, read: ReadVariables): Promise<void> {
    const pages = new Map<string, VariablePage>();
    const reasons = new Map<string, PlatformError>();
    for (const record of functions.values()) {
      if (record.variablesRevision === undefined && record.secrets === undefined) continue;
      const page = await this.#pageOf(record, read);
      pages.set(record.name, page);
      const reason = page.reasonAgainst(record.secrets ?? []);
      if (reason !== null) reasons.set(record.name, reason);
    }
    this.#tell(reasons);
    this.#pages = pages;
    this.#reasons = reasons;
    this.#redactor = createRedactor([...pages.values()].flatMap(({ secrets }) => [...secrets]));
  }

  [Symbol.dispose](): void {
    this.#closed = true;
  }

  async #pageOf(record: FunctionRecord, read: ReadVariables): Promise<VariablePage> {
    const { name, variablesRevision: revision = 0 } = record;
    const { keyRing, log } = this.#options;
    const known = this.#pages.get(name);
    if (known?.revision === revision) return known;
    if (revision === 0) return openPage(name, NOTHING, keyRing);
    for (;;) {
      try {
        const { variables } = await read(name);
        return openPage(name, { revision, variables }, keyRing);
      } catch (error) {
        // Removed meanwhile: the next snapshot says so.
        if ((error as PlatformError).code === 'FUNCTION_NOT_FOUND') return openPage(name, NOTHING, keyRing);
        if (this.#closed) throw error;
        log.warn({ err: error, function: name }, 'variables of a function could not be read; it is tried again');
        await sleep(AGAIN_MS, undefined, { ref: false });
      }
    }
  }

  #tell(reasons: ReadonlyMap<string, PlatformError>): void {
    const { log } = this.#options;
    for (const [name, { code, message }] of reasons) {
      if (this.#reasons.get(name)?.message === message) continue;
      log.warn({ function: name, code }, `a function does not run on this node: ${message}`);
    }
    for (const name of this.#reasons.keys()) {
      if (!reasons.has(name)) log.info({ function: name }, 'a function runs on this node again: it has its secrets');
    }
  }
}
