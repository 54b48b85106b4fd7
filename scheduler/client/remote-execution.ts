import { setTimeout as sleep } from 'node:timers/promises';
import type { Connection, Reply } from './connection.ts';
import { RemoteError } from './errors.ts';
import { runError } from './run-error.ts';
import type { Script } from './script.ts';
import { unpack } from './transfer.ts';
import type { Execution, ExecutionStatus, RunResults, ShardStatus, WaitOptions } from './types.ts';

export interface ExecutionOptions {
  readonly connection: Connection;
  readonly script: Script;
}

const FIRST_PAUSE_MS = 5;
const LONGEST_PAUSE_MS = 250;

/** An execution that the platform has given this id. */
export function createExecution(id: string, options: ExecutionOptions): Execution<unknown> {
  return new RemoteExecution(id, options);
}

/** `[[result …], [error …]]` */
export function resultsOf(results: Reply | undefined, errors: Reply | undefined, script: Script): RunResults<unknown> {
  if (!Array.isArray(results) || !Array.isArray(errors)) {
    throw new RemoteError('REPLY_UNKNOWN', 'the platform answered with something else than results and errors');
  }
  return {
    results: results.map((each: Reply) => unpack(String(each))),
    errors: errors.map((each: Reply) => runError(String(each), script)),
  };
}

class RemoteExecution implements Execution<unknown> {
  readonly id: string;
  readonly #connection: Connection;
  readonly #script: Script;

  constructor(id: string, { connection, script }: ExecutionOptions) {
    this.id = id;
    this.#connection = connection;
    this.#script = script;
  }

  async status(): Promise<ExecutionStatus> {
    const reply = await this.#connection.call('RG.GETEXECUTION', this.id);
    const shards = (Array.isArray(reply) ? reply : []).map(shardOf);
    return { status: statusOf(shards), recordsRead: shards.reduce((sum, each) => sum + each.recordsRead, 0), shards };
  }

  async results(options: WaitOptions = {}): Promise<RunResults<unknown>> {
    const results: unknown[] = [];
    const errors: RemoteError[] = [];
    for await (const page of this.pages(options)) {
      for (const result of page.results) results.push(result);
      errors.push(...page.errors);
    }
    return { results, errors };
  }

  async *pages(options: WaitOptions = {}): AsyncGenerator<RunResults<unknown>> {
    await this.#end(options);
    let cursor = '0';
    do {
      const reply = await this.#connection.call('RG.GETRESULTS', this.id, 'CURSOR', cursor);
      const [next, results, errors] = Array.isArray(reply) ? (reply as readonly Reply[]) : [];
      cursor = String(next);
      yield resultsOf(results, errors, this.#script);
    } while (cursor !== '0');
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<unknown> {
    for await (const { results } of this.pages()) yield* results;
  }

  async abort(): Promise<void> {
    await this.#connection.call('RG.ABORTEXECUTION', this.id);
  }

  async drop(): Promise<void> {
    await this.#connection.call('RG.DROPEXECUTION', this.id);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      await this.abort();
      await this.drop();
    } catch (error) {
      if (!(error instanceof RemoteError && error.code === 'EXECUTION_NOT_FOUND')) throw error;
    }
  }

  /**
   * Resolves when it has ended. Asking instead of RG.GETRESULTSBLOCKING leaves the connection free for others, and for the
   * command that aborts.
   */
  async #end({ timeoutMs, signal }: WaitOptions): Promise<void> {
    const deadlineMs = performance.now() + (timeoutMs ?? Number.POSITIVE_INFINITY);
    for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(LONGEST_PAUSE_MS, pauseMs * 1.5)) {
      signal?.throwIfAborted();
      const { status } = await this.status();
      if (status === 'done' || status === 'aborted') return;
      const leftMs = deadlineMs - performance.now();
      if (leftMs <= 0)
        throw new RemoteError('RUN_TIMED_OUT', `execution ${this.id} has not ended within ${timeoutMs} ms`);
      await sleep(Math.min(pauseMs, leftMs), undefined, signal === undefined ? {} : { signal }).catch(() => undefined);
    }
  }
}

/** Pairs of names and values. */
function fieldsOf(reply: Reply | undefined): ReadonlyMap<string, Reply> {
  const list: readonly Reply[] = Array.isArray(reply) ? (reply as readonly Reply[]) : [];
  const fields = new Map<string, Reply>();
  for (let at = 0; at + 1 < list.length; at += 2) fields.set(String(list[at]), list[at + 1] ?? null);
  return fields;
}

function shardOf(reply: Reply): ShardStatus {
  const shard = fieldsOf(reply);
  const plan = fieldsOf(shard.get('execution_plan'));
  return {
    id: String(shard.get('shard_id')),
    status: String(plan.get('status')),
    recordsRead: Number(plan.get('records_read') ?? 0),
    recordsPerSecond: Number(plan.get('records_per_second') ?? 0),
  };
}

function statusOf(shards: readonly ShardStatus[]): ExecutionStatus['status'] {
  const is =
    (status: string): ((shard: ShardStatus) => boolean) =>
    (shard) =>
      shard.status === status;
  if (shards.length === 0)
    throw new RemoteError('REPLY_UNKNOWN', 'the platform answered with an execution without shards');
  if (shards.some(is('aborted'))) return 'aborted';
  if (shards.every(is('done'))) return 'done';
  return shards.every(is('created')) ? 'created' : 'running';
}
