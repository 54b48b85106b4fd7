import type { Metrics } from '../../metrics/metrics.ts';
import type { OperationDependencies } from '../operations/dependencies.ts';
import type { OperationTable } from '../operations/operation-table.ts';
import type { Idempotency } from './idempotency.ts';
import type { Live } from './live.ts';

/** What the routes work with. */
export interface HttpDependencies extends OperationDependencies {
  readonly operations: OperationTable;
  readonly idempotency: Idempotency;
  readonly live: Live;
  readonly metrics: Metrics;
  /** Of the platform. */
  readonly version: string;
  /** Parts of the node by name, such as `redis`, and whether each is ready. */
  readonly readiness: () => Promise<Readonly<Record<string, boolean>>>;
}
