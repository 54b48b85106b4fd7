/**
 * The order of the code as data. A part is a folder or a file; a file belongs to the part with the longest matching path.
 * `values`: parts it may import from at run time. `types`: further parts it may import types from. Its own part and what
 * its layer's contracts name is always allowed.
 */
export interface Part {
  readonly values: readonly string[];
  readonly types?: readonly string[];
}

const SCHEDULER_COMMON = ['scheduler/errors.ts', 'scheduler/keys.ts', 'scheduler/delivery.ts', 'functions/index.ts'];
const SCHEDULER_TYPES = ['runtime/index.ts', 'scheduler/settings.ts', 'scheduler/log.ts'];

/** What is not in this table is an error. */
export const PARTS: Readonly<Record<string, Part>> = {
  'functions/errors.ts': { values: [] },
  'functions/index.ts': { values: ['functions'] },
  'functions/keys.ts': { values: ['functions/redis'] },
  'functions/model': { values: ['functions/errors.ts'] },
  'functions/redis': { values: ['functions/errors.ts'] },
  'functions/artifacts': {
    values: ['functions/errors.ts', 'functions/keys.ts', 'functions/redis'],
    types: ['functions/model'],
  },
  'functions/registry': {
    values: ['functions/artifacts', 'functions/model', 'functions/redis', 'functions/keys.ts', 'functions/errors.ts'],
  },
  'functions/authoring': { values: [] },

  'runtime/index.ts': { values: ['runtime'] },
  'runtime/create-runtime.ts': {
    values: ['functions/index.ts', 'runtime/errors.ts', 'runtime/engine', 'runtime/sandbox', 'runtime/bindings'],
    types: ['runtime/invocation.ts', 'runtime/outcome.ts', 'runtime/rehearsal.ts', 'runtime/runtime.ts'],
  },
  'runtime/host.ts': { values: [], types: ['functions/index.ts', 'runtime/stage.ts'] },
  'runtime/errors.ts': { values: [] },
  'runtime/rehearsal.ts': {
    values: [],
    types: ['runtime/bindings', 'runtime/invocation.ts', 'runtime/sandbox/messages.ts'],
  },
  'runtime/invocation.ts': { values: [], types: ['functions/index.ts', 'runtime/bindings'] },
  'runtime/outcome.ts': { values: [], types: ['functions/index.ts'] },
  'runtime/runtime.ts': {
    values: [],
    types: ['functions/index.ts', 'runtime/host.ts', 'runtime/invocation.ts', 'runtime/outcome.ts', 'runtime/stage.ts'],
  },
  'runtime/stage.ts': { values: [], types: ['functions/index.ts', 'runtime/invocation.ts'] },
  'runtime/bindings': {
    values: ['functions/index.ts', 'runtime/errors.ts'],
    types: ['runtime/invocation.ts', 'runtime/outcome.ts', 'runtime/runtime.ts', 'runtime/sandbox/messages.ts'],
  },
  'runtime/guest': { values: [], types: ['runtime/sandbox/messages.ts', 'functions/index.ts', 'functions/model'] },
  'runtime/sandbox': {
    values: ['functions/index.ts', 'runtime/errors.ts', 'runtime/guest'],
    types: ['runtime/invocation.ts', 'runtime/outcome.ts', 'runtime/runtime.ts', 'runtime/bindings'],
  },
  'runtime/engine': {
    values: ['functions/index.ts', 'runtime/errors.ts', 'runtime/sandbox'],
    types: [
      'runtime/invocation.ts',
      'runtime/outcome.ts',
      'runtime/rehearsal.ts',
      'runtime/runtime.ts',
      'runtime/host.ts',
      'runtime/stage.ts',
      'runtime/bindings',
    ],
  },

  'scheduler/errors.ts': { values: [] },
  'scheduler/keys.ts': { values: ['functions/index.ts'] },
  'scheduler/delivery.ts': { values: [] },
  'scheduler/settings.ts': { values: [], types: ['functions/index.ts'] },
  'scheduler/log.ts': { values: [], types: ['scheduler/settings.ts'] },
  'scheduler/config.ts': { values: ['functions/index.ts', 'scheduler/config'], types: ['scheduler/errors.ts'] },
  'scheduler/config': {
    values: ['functions/index.ts'],
    types: ['scheduler/errors.ts', 'scheduler/settings.ts'],
  },
  'scheduler/embedded': { values: SCHEDULER_COMMON, types: SCHEDULER_TYPES },
  'scheduler/fleet': { values: SCHEDULER_COMMON, types: SCHEDULER_TYPES },
  'scheduler/consumer': { values: SCHEDULER_COMMON, types: SCHEDULER_TYPES },
  'scheduler/queues': { values: SCHEDULER_COMMON, types: SCHEDULER_TYPES },
  'scheduler/journal': { values: SCHEDULER_COMMON, types: SCHEDULER_TYPES },
  'scheduler/executions': { values: SCHEDULER_COMMON, types: SCHEDULER_TYPES },
  'scheduler/futures': { values: SCHEDULER_COMMON, types: SCHEDULER_TYPES },
  'scheduler/figures': { values: SCHEDULER_COMMON, types: SCHEDULER_TYPES },
  'scheduler/tracing': { values: SCHEDULER_COMMON, types: SCHEDULER_TYPES },
  'scheduler/metrics': {
    values: [...SCHEDULER_COMMON, 'scheduler/figures'],
    types: [...SCHEDULER_TYPES, 'scheduler/triggers/stream.ts'],
  },
  'scheduler/tokens': { values: SCHEDULER_COMMON, types: SCHEDULER_TYPES },
  'scheduler/package-root.ts': { values: [] },
  'scheduler/triggers': {
    values: [...SCHEDULER_COMMON, 'scheduler/consumer', 'scheduler/queues'],
    types: SCHEDULER_TYPES,
  },
  'scheduler/reconciler.ts': { values: [...SCHEDULER_COMMON, 'scheduler/triggers'], types: SCHEDULER_TYPES },
  'scheduler/gateway/operations': {
    values: [
      ...SCHEDULER_COMMON,
      'scheduler/reconciler.ts',
      'scheduler/triggers',
      'scheduler/journal',
      'scheduler/executions',
      'scheduler/figures',
      'scheduler/tokens',
    ],
    types: SCHEDULER_TYPES,
  },
  'scheduler/gateway/resp': { values: [...SCHEDULER_COMMON, 'scheduler/gateway/operations'], types: SCHEDULER_TYPES },
  'scheduler/gateway/http': {
    values: [
      ...SCHEDULER_COMMON,
      'scheduler/gateway/operations',
      'scheduler/triggers',
      'scheduler/journal',
      'scheduler/executions',
      'scheduler/figures',
      'scheduler/metrics',
      'scheduler/tokens',
    ],
    types: SCHEDULER_TYPES,
  },
  'scheduler/gateway/http/dashboard': { values: [] },
  // What runs in the browser knows the API and nothing of the platform.
  'scheduler/gateway/http/dashboard/page': { values: [] },
  // A program outside of the platform that sends commands to a door: it shares types for authors, and nothing else.
  'scheduler/client': { values: [], types: ['functions/authoring'] },
  // Beside the platform the only part that constructs: it puts functions into a runtime without a platform around it.
  'scheduler/testing': {
    values: [
      ...SCHEDULER_COMMON,
      'runtime/index.ts',
      'scheduler/log.ts',
      'scheduler/embedded',
      'scheduler/consumer/event-filter.ts',
      'scheduler/executions',
      'scheduler/triggers/keys-batch.ts',
    ],
    types: SCHEDULER_TYPES,
  },
  'scheduler/platform.ts': { values: ['functions/index.ts', 'runtime/index.ts', 'scheduler'] },
  'scheduler/platform': { values: ['functions/index.ts', 'runtime/index.ts', 'scheduler'] },
  'scheduler/index.ts': { values: ['scheduler'] },
  'scheduler/cli': {
    values: [
      'functions/index.ts',
      'scheduler/platform.ts',
      'scheduler/config.ts',
      'scheduler/log.ts',
      'scheduler/package-root.ts',
      'scheduler/gateway/operations',
    ],
    types: ['scheduler/errors.ts', 'scheduler/settings.ts', 'scheduler/platform'],
  },
};

/** Files that state what a part promises: types and doc comments. Their types may be imported from anywhere in the layer. */
export const CONTRACTS: readonly string[] = [
  'scheduler/fleet/fleet.ts',
  'scheduler/journal/journal.ts',
  'scheduler/queues/async-queue.ts',
  'scheduler/queues/stage-queue.ts',
  'scheduler/triggers/trigger.ts',
  'scheduler/triggers/command-calls.ts',
  'scheduler/triggers/interception.ts',
  'scheduler/gateway/operations/operation.ts',
  'scheduler/figures/figures.ts',
  'scheduler/tokens/tokens.ts',
  'scheduler/metrics/metrics.ts',
  'scheduler/tracing/tracing.ts',
];

/** What runs in the browser. */
export const BROWSER = 'scheduler/gateway/http/dashboard/page';

/** Who may import a package at run time, and who (besides those) its types. Packages that are not here belong to nobody. */
export const PACKAGES: Readonly<Record<string, Part>> = {
  bullmq: { values: ['scheduler/queues'] },
  'isolated-vm': { values: ['runtime/sandbox/child'] },
  ioredis: { values: ['functions/redis', 'scheduler/cli/client.ts'], types: ['functions', 'scheduler'] },
  esbuild: {
    values: ['functions/artifacts', 'runtime/sandbox/guest-bundle', 'scheduler/gateway/http/dashboard/bundle-page'],
  },
  fastify: { values: ['scheduler/gateway/http'] },
  '@fastify/multipart': { values: ['scheduler/gateway/http'] },
  '@opentelemetry/api': { values: ['scheduler/tracing'] },
  '@opentelemetry/core': { values: ['scheduler/tracing'] },
  '@opentelemetry/exporter-trace-otlp-http': { values: ['scheduler/tracing'] },
  '@opentelemetry/resources': { values: ['scheduler/tracing'] },
  '@opentelemetry/sdk-trace': { values: ['scheduler/tracing'] },
  '@fastify/swagger': { values: ['scheduler/gateway/http'] },
  ajv: { values: ['scheduler/gateway/http'] },
  typebox: { values: ['scheduler/gateway/http'] },
  diff: { values: ['scheduler/gateway/operations'] },
  preact: { values: [BROWSER] },
  '@preact/signals': { values: [BROWSER] },
  uplot: { values: [BROWSER] },
  commander: { values: ['scheduler/cli'] },
  'cli-progress': { values: ['scheduler/cli'] },
  pino: { values: ['scheduler/log.ts'], types: ['scheduler'] },
  '@babel/parser': { values: ['scheduler/client'] },
  regears: { values: [], types: ['scheduler/client'] },
  '@jridgewell/trace-mapping': { values: ['runtime'] },
};

/** True when a path lies in a part: is it, or is below it. */
export function isWithin(path: string, part: string): boolean {
  return path === part || path.startsWith(`${part}/`) || path === `${part}.ts`;
}

/** The part a file belongs to; undefined when the table has no place for it. */
export function partOf(path: string): string | undefined {
  const parts = Object.keys(PARTS).filter((part) => isWithin(path, part));
  return parts.sort((a, b) => b.length - a.length)[0];
}
