import { integer, type Kind, share } from './kinds.ts';
import type { Rows } from './setting.ts';

const TRACES_PATH = '/v1/traces';

/** An address; without a path it is that of a collector, which takes traces at the usual place. */
const ENDPOINT: Kind<string | null> = {
  name: 'url',
  placeholder: '<url>',
  allowed:
    'http://host:port or https://host:port, with a path where traces are not taken at /v1/traces; no credentials in it',
  parse: (raw) => (raw === null ? null : endpointOf(raw)),
  show: (value) => value ?? 'none',
};

function endpointOf(raw: unknown): string | undefined {
  if (typeof raw !== 'string' || !URL.canParse(raw)) return undefined;
  const url = new URL(raw);
  const isRight = ['http:', 'https:'].includes(url.protocol) && url.username === '' && url.hash === '';
  if (!isRight) return undefined;
  if (url.pathname === '/') url.pathname = TRACES_PATH;
  return url.href;
}

function isDisabled({ OTEL_SDK_DISABLED: disabled }: Readonly<Record<string, string | undefined>>): boolean {
  return disabled?.toLowerCase() === 'true';
}

/** Traces: OpenTelemetry. */
export const TRACE_ROWS: Rows<'trace'> = {
  'trace.endpoint': {
    name: 'trace-endpoint',
    kind: ENDPOINT,
    default: null,
    defaultText: 'none',
    description:
      'Collector that traces are sent to, OTLP over HTTP; not given: OTEL_EXPORTER_OTLP_TRACES_ENDPOINT or OTEL_EXPORTER_OTLP_ENDPOINT, else none are made',
    standard: [
      { name: 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT', read: (value, env) => (isDisabled(env) ? undefined : value) },
      {
        name: 'OTEL_EXPORTER_OTLP_ENDPOINT',
        read: (value, env) => (isDisabled(env) ? undefined : `${value.replace(/\/+$/, '')}${TRACES_PATH}`),
      },
    ],
  },
  'trace.ratio': {
    name: 'trace-ratio',
    kind: share(),
    default: 0,
    description: 'Share of the events without a traceparent that begin a trace; with one, its sampled flag decides',
  },
  'trace.queue': {
    name: 'trace-queue',
    kind: integer({ min: 64, max: 1_000_000 }),
    default: 4_096,
    description: 'Spans that wait for the collector at once; further ones are dropped and counted',
  },
};
