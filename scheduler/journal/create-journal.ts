import { randomBytes } from 'node:crypto';
import type { Logger } from 'pino';
import { defineScript, type RedisAccess } from '#functions';
import type { SchedulerKeys } from '../keys.ts';
import type { CapSettings } from '../settings.ts';
import type { RegistrationStats } from '../triggers/trigger.ts';
import { type Flusher, startFlusher } from './flusher.ts';
import { readLogs } from './function-logs.ts';
import type { FunctionLogLine, Journal, RunCount } from './journal.ts';
import { createLogBuffer, type NewLogLine } from './log-buffer.ts';
import { END_FIELDS, readEndSums, readStats } from './registration-stats.ts';
import { type CounterChange, createRunCounters, encodeChange } from './run-counters.ts';

export interface JournalOptions {
  readonly access: RedisAccess;
  readonly keys: SchedulerKeys;
  readonly caps: Pick<CapSettings, 'logLines'>;
  readonly log: Logger;
  /** Period of the flush, ms. Default 250: what the doors show is at most so old. */
  readonly flushMs?: number;
}

/** How long a writer's last number is remembered; a batch that hangs in an outage for longer may be counted twice. */
const FLUSHED_LIFE_MS = 24 * 3_600_000;
const LINES_PER_FLUSH = 1_000;
const LAST_FLUSH_MS = 2_000;
/** Readers wait so long for this node's own numbers; during an outage they get an error from their own commands instead. */
const READ_FLUSH_MS = 1_000;

/** Counters and logs over Redis, see `Journal`. */
export function createJournal(options: JournalOptions): Journal {
  return new RedisJournal(options);
}

class RedisJournal implements Journal {
  readonly #options: JournalOptions;
  readonly #writer = randomBytes(8).toString('hex');
  readonly #counters = createRunCounters();
  readonly #lines = createLogBuffer();
  readonly #indexed = new Set<string>();
  readonly #countFlusher: Flusher;
  readonly #logFlusher: Flusher;
  readonly #addScript = defineScript('add-counters', new URL('./scripts/add-counters.lua', import.meta.url));
  readonly #clearScript = defineScript('clear-counters', new URL('./scripts/clear-counters.lua', import.meta.url));
  readonly #appendScript = defineScript('append-log', new URL('./scripts/append-log.lua', import.meta.url));

  constructor(options: JournalOptions) {
    this.#options = options;
    const intervalMs = options.flushMs ?? 250;
    const onError = (error: unknown): void => options.log.warn({ err: error }, 'journal not written; trying again');
    this.#countFlusher = startFlusher<ReadonlyMap<string, CounterChange>>({
      intervalMs,
      take: () => (this.#counters.isEmpty ? undefined : this.#counters.take()),
      write: (batch, number) => this.#writeCounts(batch, number),
      onError,
    });
    this.#logFlusher = startFlusher<readonly NewLogLine[]>({
      intervalMs,
      take: () => this.#lines.take(LINES_PER_FLUSH),
      write: (lines, number) => this.#writeLines(lines, number),
      onError,
    });
  }

  count(registrationId: string, run: RunCount): void {
    this.#counters.add(registrationId, run);
  }

  async stats(registrationIds: readonly string[]): Promise<ReadonlyMap<string, RegistrationStats>> {
    await within(this.#countFlusher.flush(), READ_FLUSH_MS);
    const all = await Promise.all(registrationIds.map(async (id) => [id, await readStats(this.#options, id)] as const));
    return new Map(all);
  }

  async clearStats(registrationIds?: readonly string[]): Promise<void> {
    await within(this.#countFlusher.flush(), READ_FLUSH_MS);
    const { access, keys } = this.#options;
    const ids = registrationIds ?? (await access.client.smembers(keys.registrationIndex));
    await Promise.all(ids.map((id) => this.#clearOne(id)));
  }

  log(line: NewLogLine): void {
    this.#lines.add(line);
  }

  async logs(functionName: string | null, after: string | null, count: number): Promise<readonly FunctionLogLine[]> {
    await within(this.#logFlusher.flush(), READ_FLUSH_MS);
    return readLogs(this.#options.access, this.#options.keys, { functionName, after, count });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.#countFlusher.stop(LAST_FLUSH_MS), this.#logFlusher.stop(LAST_FLUSH_MS)]);
  }

  async #clearOne(registrationId: string): Promise<void> {
    const { access, keys } = this.#options;
    const sums = await readEndSums(this.#options, registrationId);
    const args = END_FIELDS.flatMap((field) => [field, sums[field]]);
    await this.#clearScript.run(access.client, [keys.runs(registrationId), keys.cleared(registrationId)], args);
  }

  async #writeCounts(batch: ReadonlyMap<string, CounterChange>, number: number): Promise<void> {
    const { access, keys } = this.#options;
    const unknown = [...batch.keys()].filter((id) => !this.#indexed.has(id));
    if (unknown.length > 0) await access.client.sadd(keys.registrationIndex, ...unknown);
    for (const id of unknown) this.#indexed.add(id);
    const hashes = [...batch.keys()].map((id) => keys.runs(id));
    const args = [number, FLUSHED_LIFE_MS, ...[...batch.values()].flatMap(encodeChange)];
    await this.#addScript.run(access.client, [keys.flushed(`${this.#writer}-counts`), ...hashes], args);
  }

  async #writeLines(lines: readonly NewLogLine[], number: number): Promise<void> {
    const { access, keys, caps } = this.#options;
    const names = [...new Set(lines.map((line) => line.functionName))];
    const firstLog = 4;
    const positions = new Map(names.map((name, index) => [name, firstLog + index]));
    const fields = lines.flatMap(({ functionName, version, level, message }) => [
      positions.get(functionName) ?? firstLog,
      version,
      level,
      message,
    ]);
    const head = [keys.flushed(`${this.#writer}-log`), keys.logClock, keys.logIndex];
    const args = [number, FLUSHED_LIFE_MS, caps.logLines, ...names, ...fields];
    await this.#appendScript.run(access.client, [...head, ...names.map((name) => keys.log(name))], args);
  }
}

/** Waits for the promise, but not longer than `ms`. */
async function within(promise: Promise<void>, ms: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([promise, late]);
  clearTimeout(timer);
}
