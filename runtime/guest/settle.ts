import type { GuestErrorReport, SessionRequest } from '../sandbox/messages.ts';
import type { Batch, Entry, Execution } from './batch.ts';
import { closeEntry } from './batch.ts';
import { describeError, errorJson } from './describe.ts';
import type { Budget } from './json.ts';
import { append } from './numbers.ts';
import { mapForEach, quote } from './primordials.ts';
import { encodeResults } from './results.ts';

const NO_RESULTS = '*0\r\n';

/** The one place where entries get their end. */
export interface Settle {
  /** Marks a batch as having news for the node. */
  touch(batch: Batch): void;
  /** Next batch with news, taken off the list. */
  takeDirty(): Batch | null;
  /** RESP text of an entry's records; '' where nobody wants it. Throws for results that cannot be sent. */
  encode(entry: Entry): string;
  /** Ends an entry well: done, or filtered when a filter dropped all that came of it. */
  finish(entry: Entry, results: string): void;
  /** Ends an entry badly. Nothing happens when it has ended before. */
  fail(entry: Entry, error: unknown): void;
  failWith(entry: Entry, report: GuestErrorReport): void;
  /** Ends an entry that the node has given up; nothing is reported. */
  drop(entry: Entry): void;
}

function budgetOf(execution: Execution, limit: number): Budget {
  return { left: limit - execution.output, limit };
}

/** Records of an entry are not under way any more. */
export function stopMoving(entry: Entry): void {
  if (!entry.moving) return;
  entry.moving = false;
  entry.batch.moving--;
}

/** Adds a request of a session to what the node will hear. */
export function noteSession(
  entry: Entry,
  op: SessionRequest['op'],
  request: { session: number; command: string },
): void {
  const { batch, index } = entry;
  const json = `{"session":${request.session},"entry":${index},"op":"${op}","command":${quote(request.command)}}`;
  batch.sessionsJson += batch.sessionsJson === '' ? json : `,${json}`;
}

function discardSessions(entry: Entry, sessions: Map<number, unknown>): void {
  entry.sessions = null;
  mapForEach(sessions, (_value, session) => noteSession(entry, 'discard', { session, command: '' }));
}

/** Adds a failed entry to what the node will hear. */
export function noteFailed(batch: Batch, index: number, report: GuestErrorReport): void {
  append(batch.failed, index);
  const json = `{"index":${index},"error":${errorJson(report)}}`;
  batch.failedJson += batch.failedJson === '' ? json : `,${json}`;
}

/** @param outputBytes limit of results and log lines of one execution. */
export function createSettle(outputBytes: number): Settle {
  return new Settlement(outputBytes);
}

class Settlement implements Settle {
  readonly #outputBytes: number;
  #firstDirty: Batch | null = null;

  constructor(outputBytes: number) {
    this.#outputBytes = outputBytes;
  }

  touch(batch: Batch): void {
    if (batch.dirty) return;
    batch.dirty = true;
    batch.nextDirty = this.#firstDirty;
    this.#firstDirty = batch;
  }

  #close(entry: Entry): void {
    stopMoving(entry);
    closeEntry(entry);
    entry.pieces = null;
    if (entry.sessions !== null) discardSessions(entry, entry.sessions);
    this.touch(entry.batch);
  }

  failWith(entry: Entry, report: GuestErrorReport): void {
    if (entry.ended) return;
    const { batch, index } = entry;
    this.#close(entry);
    entry.execution.failed = true;
    batch.keyOrder.hasFailed = true;
    noteFailed(batch, index, report);
  }

  takeDirty(): Batch | null {
    const batch = this.#firstDirty;
    if (batch === null) return null;
    this.#firstDirty = batch.nextDirty;
    batch.nextDirty = null;
    batch.dirty = false;
    return batch;
  }

  encode(entry: Entry): string {
    const { batch, execution } = entry;
    if (!batch.wantResults || batch.isKeys) return '';
    const budget = budgetOf(execution, this.#outputBytes);
    const text = encodeResults(entry.pieces, batch.plan.convertToStr, budget);
    execution.output = budget.limit - budget.left;
    return text;
  }

  finish(entry: Entry, results: string): void {
    if (entry.ended) return;
    const { batch } = entry;
    this.#close(entry);
    if (entry.filtered && !entry.reached && entry.override === null) {
      append(batch.filtered, entry.index);
      return;
    }
    append(batch.done, entry.index);
    if (!batch.wantResults) return;
    const text = entry.override ?? (results === '' ? NO_RESULTS : results);
    append(batch.resultLengths, text.length);
    batch.results += text;
  }

  fail(entry: Entry, error: unknown): void {
    if (!entry.ended) this.failWith(entry, describeError(error));
  }

  drop(entry: Entry): void {
    if (!entry.ended) this.#close(entry);
  }
}
