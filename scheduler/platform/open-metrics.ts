import type { RedisAccess, Registry } from '#functions';
import type { Runtime } from '#runtime';
import type { Figures } from '../figures/figures.ts';
import type { Meter } from '../figures/meter.ts';
import type { Fleet } from '../fleet/fleet.ts';
import type { Log } from '../log.ts';
import { createMetrics } from '../metrics/create-metrics.ts';
import type { Metrics } from '../metrics/metrics.ts';
import { packageVersion } from '../package-root.ts';
import type { Settings } from '../settings.ts';
import { NO_SPANS, type Tracing } from '../tracing/tracing.ts';
import type { StreamTrigger } from '../triggers/stream.ts';

export interface MetricsGround {
  readonly settings: Settings;
  readonly access: RedisAccess;
  readonly registry: Registry;
  readonly fleet: Fleet;
  readonly runtime: Runtime;
  readonly meter: Meter;
  readonly figures: Figures;
  readonly stream: StreamTrigger;
  readonly tracing: Tracing | null;
  readonly readiness: () => Readonly<Record<string, boolean>>;
  readonly log: Log;
}

/** What `/metrics` is made of. */
export function openMetrics(ground: MetricsGround, opening: AsyncDisposableStack): Metrics {
  const { settings, access, stream, tracing } = ground;
  return opening.use(
    createMetrics({
      ...ground,
      streams: stream,
      available: () => access.client.status === 'ready',
      spans: () => tracing?.counts() ?? NO_SPANS,
      version: packageVersion(),
      sandboxBytes: settings.sandbox.residentBytes,
      mostLabels: settings.http.metricsLabels,
    }),
  );
}
