import type { Logger } from 'pino';
import type { Registry } from '#functions';
import type { Runtime } from '#runtime';
import type { Backlogs, Figures } from '../figures/figures.ts';
import type { Meter } from '../figures/meter.ts';
import type { Fleet } from '../fleet/fleet.ts';
import type { SpanCounts } from '../tracing/tracing.ts';
import type { StreamTrigger } from '../triggers/stream.ts';
import { expose } from './exposition.ts';
import { measureFleet } from './measure-fleet.ts';
import { createNodeMeasure } from './measure-node.ts';
import type { Metrics } from './metrics.ts';
import { createSandboxCounts } from './sandbox-counts.ts';

export interface MetricsOptions {
  readonly meter: Pick<Meter, 'totals'>;
  readonly figures: Pick<Figures, 'backlogs' | 'self'>;
  readonly fleet: Pick<Fleet, 'self' | 'consumers'>;
  readonly registry: Pick<Registry, 'snapshot'>;
  readonly runtime: Pick<Runtime, 'inspectPool' | 'onDeath' | 'onQuarantine'>;
  readonly streams: Pick<StreamTrigger, 'facts' | 'readers'>;
  /** Parts of the node by name, and whether each is ready. */
  readonly readiness: () => Readonly<Record<string, boolean>>;
  /** False: Redis cannot be reached, as far as the node knows. */
  readonly available: () => boolean;
  readonly spans: () => SpanCounts;
  readonly version: string;
  /** Resident memory that one sandbox process may take, bytes. */
  readonly sandboxBytes: number;
  /** Registrations, and functions, with labels of their own. */
  readonly mostLabels: number;
  /** How long Redis may take. Default 1000. */
  readonly patienceMs?: number;
  readonly log: Logger;
}

const PATIENCE_MS = 1_000;

export function createMetrics(options: MetricsOptions): Metrics {
  const sandboxCounts = createSandboxCounts(options);
  const measureNode = createNodeMeasure({ ...options, sandboxCounts });
  return {
    async scrape(format) {
      const answer = await askFleet(options);
      const node = measureNode(answer !== undefined);
      const fleet = answer === undefined ? [] : measureFleet(answer, options);
      return expose([...node, ...fleet], format);
    },
    [Symbol.dispose]: () => sandboxCounts[Symbol.dispose](),
  };
}

/** Undefined: Redis did not answer in time. Null: nobody has measured. */
async function askFleet({
  available,
  figures,
  patienceMs = PATIENCE_MS,
  log,
}: MetricsOptions): Promise<Backlogs | null | undefined> {
  if (!available()) return undefined;
  const late = Promise.withResolvers<undefined>();
  const timer = setTimeout(() => late.resolve(undefined), patienceMs);
  try {
    return await Promise.race([figures.backlogs(), late.promise]);
  } catch (error) {
    log.debug({ err: error }, 'the backlogs could not be read');
    return undefined;
  } finally {
    clearTimeout(timer);
  }
}
