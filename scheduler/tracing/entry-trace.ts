import {
  type Attributes,
  type Context,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  type Tracer,
  trace,
} from '@opentelemetry/api';
import type { FailedEntry } from '#runtime';

export interface EntryTraceOptions {
  readonly tracer: Tracer;
  /** Of the producer; `ROOT_CONTEXT` begins a trace. */
  readonly parent: Context;
  readonly kind: SpanKind;
  readonly name: string;
  readonly attributes: Attributes;
  readonly execution: { readonly name: string; readonly attributes: Attributes };
  /** When the batch was handed over, ms. */
  readonly beginMs: number;
}

/** A command as it went by. */
export interface CommandNote {
  readonly name: string;
  readonly text: string;
  /** Of the error that was the reply; null = there was none. */
  readonly errorCode: string | null;
  readonly beginMs: number;
  readonly endMs: number;
}

/** Spans for so many commands of an entry; the execution's span has the count of all. */
const MOST_COMMANDS = 1_000;

/** The spans of one entry in one attempt: taking it up, its execution within, and the commands within that. */
export class EntryTrace {
  readonly #options: EntryTraceOptions;
  readonly #span: Span;
  #execution: Span | null = null;
  #inside: Context = ROOT_CONTEXT;
  #commands = 0;

  constructor(options: EntryTraceOptions) {
    const { tracer, parent, kind, name, attributes, beginMs } = options;
    this.#options = options;
    this.#span = tracer.startSpan(name, { kind, attributes, startTime: beginMs }, parent);
  }

  /** @param startMs when its execution began, at the earliest; only the first call counts. */
  begin(startMs: number): void {
    if (this.#execution !== null) return;
    const { tracer, execution } = this.#options;
    const around = trace.setSpan(ROOT_CONTEXT, this.#span);
    const { name, attributes } = execution;
    this.#execution = tracer.startSpan(name, { kind: SpanKind.INTERNAL, attributes, startTime: startMs }, around);
    this.#inside = trace.setSpan(ROOT_CONTEXT, this.#execution);
  }

  command({ name, text, errorCode, beginMs, endMs }: CommandNote): void {
    this.#commands += 1;
    if (this.#commands > MOST_COMMANDS) return;
    const attributes: Attributes = {
      'db.system.name': 'redis',
      'db.operation.name': name,
      'db.query.text': text,
      ...(errorCode === null ? {} : { 'db.response.status_code': errorCode, 'error.type': errorCode }),
    };
    const span = this.#options.tracer.startSpan(
      name,
      { kind: SpanKind.CLIENT, attributes, startTime: beginMs },
      this.#inside,
    );
    if (errorCode !== null) span.setStatus({ code: SpanStatusCode.ERROR, message: errorCode });
    span.end(endMs);
  }

  end(end: 'done' | 'filtered', endMs: number): void {
    this.#close({ 'regears.end': end }, endMs);
  }

  fail({ kind, error }: FailedEntry, endMs: number): void {
    const { name, message, stack, code } = error;
    const status = { code: SpanStatusCode.ERROR, message };
    this.#execution?.recordException({ name, message, stack }, endMs);
    this.#execution?.setStatus(status);
    this.#span.setStatus(status);
    this.#close({ 'regears.end': kind === 'interrupted' ? 'interrupted' : 'failed', 'error.type': code }, endMs);
  }

  #close(attributes: Attributes, endMs: number): void {
    this.#execution?.setAttributes({ ...attributes, 'regears.commands': this.#commands });
    this.#execution?.end(endMs);
    this.#span.setAttributes(attributes);
    this.#span.end(endMs);
  }
}
