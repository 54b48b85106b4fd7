import { createHash } from 'node:crypto';
import { type Connection, connectionOf } from './connection.ts';
import { RemoteError, type StepPlace } from './errors.ts';
import { checkVariableName, readFunction, type SentFunction } from './function-source.ts';
import { type AnyFunction, literalOf } from './literal.ts';
import { createExecution, resultsOf } from './remote-execution.ts';
import { splitRunArguments } from './run-arguments.ts';
import { scriptError } from './run-error.ts';
import { type Call, FUNCTIONS_NAME, type Script, writeScript } from './script.ts';
import { pack } from './transfer.ts';
import type {
  Execution,
  GearsRemoteBuilderConstructor,
  OperationName,
  Registered,
  RunResults,
  WaitOptions,
} from './types.ts';

/** Every step; the type says that none is missing. */
const OPERATIONS: Readonly<Record<OperationName, true>> = {
  map: true,
  flatmap: true,
  flatMap: true,
  foreach: true,
  forEach: true,
  filter: true,
  accumulate: true,
  localgroupby: true,
  localGroupBy: true,
  limit: true,
  collect: true,
  groupby: true,
  groupBy: true,
  batchgroupby: true,
  batchGroupBy: true,
  repartition: true,
  aggregate: true,
  aggregateby: true,
  aggregateBy: true,
  count: true,
  countby: true,
  countBy: true,
  distinct: true,
  sort: true,
  avg: true,
};

const GENERATOR_READERS: readonly unknown[] = ['GeneratorReader', 'PythonReader'];

class Builder {
  readonly #connection: Connection;
  readonly #reader: unknown;
  readonly #readerArgs: string;
  readonly #functions: SentFunction[] = [];
  readonly #calls: Call[] = [];
  readonly #values = new Map<string, string>();
  readonly #helpers = new Map<string, SentFunction>();
  #name: string | undefined;

  static {
    for (const operation of Object.keys(OPERATIONS)) {
      const step = function (this: Builder, ...args: unknown[]): Builder {
        this.#calls.push(this.#call(operation, args, this.#functions));
        return this;
      };
      Object.defineProperty(Builder.prototype, operation, { value: step, writable: true, configurable: true });
    }
  }

  constructor(redis: unknown, ...args: readonly unknown[]) {
    this.#connection = connectionOf(redis);
    this.#reader = args[0];
    this.#readerArgs = this.#call('reader', args, this.#functions).args;
  }

  with(values: unknown): this {
    if (typeof values !== 'object' || values === null || Array.isArray(values)) {
      throw new RemoteError('ARGUMENT_INVALID', 'with: the argument must be an object such as { rate: 0.5 }');
    }
    for (const [name, value] of Object.entries(values)) {
      checkVariableName(name);
      this.#values.delete(name);
      this.#helpers.delete(name);
      if (typeof value === 'function') {
        const step = { number: 0, operation: `with.${name}` };
        this.#helpers.set(name, readFunction(value as AnyFunction, { step, mayGenerate: true }));
      } else {
        this.#values.set(name, literalOf(value, { what: `with: ${name}` }));
      }
    }
    return this;
  }

  named(name: unknown): this {
    if (typeof name !== 'string' || name === '') {
      throw new RemoteError('ARGUMENT_INVALID', 'named: the argument must be the name of a function');
    }
    this.#name = name;
    return this;
  }

  async run(...args: readonly unknown[]): Promise<RunResults<unknown> | Execution<unknown>> {
    const { own, forPlatform } = splitRunArguments(args);
    const functions = [...this.#functions];
    const call = this.#call('run', forPlatform, functions);
    const last = readFunction(pack, { step: call.step, mayGenerate: false });
    const packing: Call = { step: { ...call.step, operation: 'map' }, args: refer(functions.push(last)) };
    const script = this.#script([...this.#calls, packing, call], functions);
    if (own.unblocking) return this.#start(script);
    return own.wait === null ? this.#wait(script) : this.#waitAtMost(script, own.wait);
  }

  async register(...args: readonly unknown[]): Promise<Registered> {
    const functions = [...this.#functions];
    const script = this.#script([...this.#calls, this.#call('register', args, functions)], functions);
    const name = this.#name ?? `remote-${createHash('sha256').update(script.text).digest('hex').slice(0, 12)}`;
    const reply = await this.#send(script, 'RG.FUNCTION', 'LOAD', name);
    const [, version, , registrations] = Array.isArray(reply) ? reply : [];
    return {
      name,
      version: Number(version),
      registrations: (Array.isArray(registrations) ? registrations : []).map(String),
    };
  }

  async #start(script: Script): Promise<Execution<unknown>> {
    const id = await this.#send(script, 'UNBLOCKING');
    return createExecution(String(id), { connection: this.#connection, script });
  }

  async #wait(script: Script): Promise<RunResults<unknown>> {
    const reply = await this.#send(script);
    const [results, errors] = Array.isArray(reply) ? reply : [];
    return resultsOf(results, errors, script);
  }

  /** Nothing of the execution is left behind, whether it has ended or not. */
  async #waitAtMost(script: Script, wait: WaitOptions): Promise<RunResults<unknown>> {
    wait.signal?.throwIfAborted();
    const execution = await this.#start(script);
    try {
      return await execution.results(wait);
    } finally {
      // What cannot be removed now expires by itself.
      await execution[Symbol.asyncDispose]().catch(() => undefined);
    }
  }

  #script(calls: readonly Call[], functions: readonly SentFunction[]): Script {
    return writeScript({
      ...{ reader: this.#readerArgs, calls, functions },
      ...{ values: this.#values, helpers: this.#helpers },
    });
  }

  async #send(script: Script, ...rest: readonly string[]): ReturnType<Connection['call']> {
    const isLoad = rest[0] === 'RG.FUNCTION';
    try {
      if (isLoad) return await this.#connection.call('RG.FUNCTION', ...rest.slice(1), script.text);
      return await this.#connection.call('RG.JSEXECUTE', script.text, ...rest);
    } catch (error) {
      throw scriptError(error, script);
    }
  }

  /** A call with its arguments as JavaScript; functions among them join `functions`. */
  #call(operation: string, args: readonly unknown[], functions: SentFunction[]): Call {
    const step: StepPlace = { number: operation === 'reader' ? 0 : this.#calls.length + 1, operation };
    const isSource = operation === 'reader' || operation === 'run';
    const mayGenerate = isSource && GENERATOR_READERS.includes(this.#reader);
    const functionOf = (fn: AnyFunction): string => refer(functions.push(readFunction(fn, { step, mayGenerate })));
    const written = args.map((arg, at) => literalOf(arg, { what: `${operation}: argument ${at + 1}`, functionOf }));
    return { step, args: written.join(', ') };
  }
}

/** @param count how many functions there are with the one that is meant. */
function refer(count: number): string {
  return `${FUNCTIONS_NAME}[${count - 1}]`;
}

/** `new GearsRemoteBuilder(redis, 'KeysReader').map(…).run('person:*')`: plans that a platform runs for this program. */
export const GearsRemoteBuilder = Builder as unknown as GearsRemoteBuilderConstructor;
