import {
  type Attributes,
  type Context,
  isSpanContextValid,
  ROOT_CONTEXT,
  SpanKind,
  TraceFlags,
  type Tracer,
  trace,
} from '@opentelemetry/api';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { detectResources, envDetector, resourceFromAttributes } from '@opentelemetry/resources';
import { AlwaysOnSampler, ParentBasedSampler, TracerProvider } from '@opentelemetry/sdk-trace';
import type { Logger } from 'pino';
import { type CommandTable, timeOfId, utf8FromLatin1 } from '#functions';
import type { Invocation, TraceContext } from '#runtime';
import type { TraceSettings } from '../settings.ts';
import { BatchTrace } from './batch-trace.ts';
import { type Carriers, carriersOf, mayCarry } from './carriers.ts';
import { nowMs } from './clock.ts';
import { EntryTrace } from './entry-trace.ts';
import { createSpanQueue, type SpanQueue } from './span-queue.ts';
import type { Execute, Tracing } from './tracing.ts';

export interface TracingOptions {
  readonly settings: TraceSettings & { readonly endpoint: string };
  readonly nodeId: string;
  readonly version: string;
  /** Knows which arguments of a command are keys. */
  readonly commands: CommandTable;
  readonly log: Logger;
}

/** At the end nothing waits longer than this for a collector, ms. */
const LAST_FLUSH_MS = 2_000;

/** Begins to make spans. What is said in `OTEL_EXPORTER_OTLP_*` of headers, compression and time-outs holds. */
export function createTracing(options: TracingOptions): Tracing {
  const { settings, nodeId, version, log } = options;
  const exporter = new OTLPTraceExporter({ url: settings.endpoint });
  const queue = createSpanQueue({ exporter, most: settings.queue, log });
  const own = resourceFromAttributes({
    'service.name': 'regears',
    'service.version': version,
    'service.instance.id': nodeId,
  });
  const provider = new TracerProvider({
    // What says whose spans they are in the environment is stronger.
    resource: own.merge(detectResources({ detectors: [envDetector] })),
    sampler: new ParentBasedSampler({ root: new AlwaysOnSampler() }),
    spanProcessors: [queue.processor],
  });
  log.info({ endpoint: settings.endpoint, ratio: settings.ratio }, 'traces are made');
  return new SpanTracing(options, provider, queue);
}

class SpanTracing implements Tracing {
  readonly #options: TracingOptions;
  readonly #provider: TracerProvider;
  readonly #queue: SpanQueue;
  readonly #tracer: Tracer;
  readonly #propagator = new W3CTraceContextPropagator();

  constructor(options: TracingOptions, provider: TracerProvider, queue: SpanQueue) {
    this.#options = options;
    this.#provider = provider;
    this.#queue = queue;
    this.#tracer = provider.getTracer('regears', options.version);
  }

  tracing(execute: Execute): Execute {
    return (invocation) => {
      const batch = this.#begin(invocation);
      return batch === null ? execute(invocation) : execute(batch.watched()).finally(() => batch.close());
    };
  }

  counts(): ReturnType<SpanQueue['counts']> {
    return this.#queue.counts();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const late = Promise.withResolvers<void>();
    const timer = setTimeout(late.resolve, LAST_FLUSH_MS);
    await Promise.race([this.#provider.shutdown().catch(() => undefined), late.promise]);
    clearTimeout(timer);
  }

  /** Null: nothing of the batch is sampled, or it cannot be told. */
  #begin(invocation: Invocation): BatchTrace | null {
    const { settings, commands, log } = this.#options;
    if (settings.ratio === 0 && !mayCarry(invocation)) return null;
    try {
      const beginMs = nowMs();
      const entries = this.#entriesOf(invocation, beginMs);
      return entries.size === 0 ? null : new BatchTrace({ invocation, entries, commands, beginMs, log });
    } catch (error) {
      log.debug({ err: error }, 'a trace could not be begun');
      return null;
    }
  }

  #entriesOf(invocation: Invocation, beginMs: number): ReadonlyMap<number, EntryTrace> {
    const carriers = carriersOf(invocation);
    const entries = new Map<number, EntryTrace>();
    const execution = executionOf(invocation);
    const common = commonAttributes(invocation);
    for (let position = 0; position < invocation.entryCount; position += 1) {
      const parent = this.#parentOf(carriers.of(position));
      if (parent === null) continue;
      entries.set(
        position,
        new EntryTrace({
          tracer: this.#tracer,
          parent,
          kind: invocation.shape === 'command' || invocation.shape === 'hook' ? SpanKind.SERVER : SpanKind.CONSUMER,
          name: `${isCall(invocation) ? 'call' : 'process'} ${invocation.registrationId}`,
          attributes: { ...common, ...entryAttributes(invocation, carriers, position) },
          execution,
          beginMs,
        }),
      );
    }
    return entries;
  }

  /** The producer's flag decides; without one, chance does. Null: it is not sampled. */
  #parentOf(carrier: TraceContext | undefined): Context | null {
    if (carrier !== undefined) {
      const parent = this.#propagator.extract(ROOT_CONTEXT, carrier, GETTER);
      const known = trace.getSpanContext(parent);
      if (known !== undefined && isSpanContextValid(known)) {
        return (known.traceFlags & TraceFlags.SAMPLED) === 0 ? null : parent;
      }
    }
    return Math.random() < this.#options.settings.ratio ? ROOT_CONTEXT : null;
  }
}

const GETTER = {
  get: (carrier: unknown, name: string): string | undefined => (carrier as Readonly<Record<string, string>>)[name],
  keys: (carrier: unknown): string[] => Object.keys(carrier as object),
};

function isCall({ shape }: Invocation): boolean {
  return shape === 'command' || shape === 'hook';
}

function executionOf(invocation: Invocation): { readonly name: string; readonly attributes: Attributes } {
  const { target, registrationId, executionSize, entryCount } = invocation;
  return {
    name: `run ${target.functionName}`,
    attributes: {
      'regears.function': target.functionName,
      'regears.version': target.version,
      'regears.registration': registrationId,
      'regears.execution.size': Math.min(executionSize, entryCount),
    },
  };
}

function commonAttributes(invocation: Invocation): Attributes {
  const { registrationId, shape, key } = invocation;
  if (isCall(invocation)) return { 'rpc.system': 'redis', 'regears.registration': registrationId };
  return {
    'messaging.system': 'redis',
    'messaging.operation.type': 'process',
    'messaging.operation.name': 'process',
    'messaging.consumer.group.name': registrationId,
    ...(shape === 'stream' ? { 'messaging.destination.name': utf8FromLatin1(key) } : {}),
  };
}

function entryAttributes({ attempts }: Invocation, { ids }: Carriers, position: number): Attributes {
  const id = ids?.[position];
  if (id === undefined) return {};
  const ageMs = Date.now() - timeOfId(id);
  return {
    'messaging.message.id': id,
    'regears.attempt': attempts?.[position] ?? 1,
    ...(Number.isSafeInteger(ageMs) ? { 'regears.entry.age_ms': Math.max(0, ageMs) } : {}),
  };
}
