import type { HttpDependencies } from '../dependencies.ts';
import type { HttpRoute } from '../route.ts';
import { deadLetterRoutes } from './dead-letters.ts';
import { executionRoutes } from './executions.ts';
import { functionRoutes } from './functions.ts';
import { healthRoutes } from './health.ts';
import { liveRoutes } from './live.ts';
import { metricsRoute } from './metrics.ts';
import { nodeRoutes } from './nodes.ts';
import { overviewRoute } from './overview.ts';
import { registrationRoutes } from './registrations.ts';
import { runRoutes } from './runs.ts';
import { scalerRoute } from './scaler.ts';
import { streamRoutes } from './streams.ts';
import { systemRoutes } from './system.ts';
import { tokenRoutes } from './tokens.ts';
import { triggerRoute } from './trigger.ts';

/** Every route of the door, area after area. A new area is a file beside this one. */
export function createRoutes(dependencies: HttpDependencies): readonly HttpRoute[] {
  return [
    ...functionRoutes(dependencies),
    ...registrationRoutes(dependencies),
    triggerRoute(dependencies),
    ...runRoutes(dependencies),
    ...executionRoutes(dependencies),
    ...streamRoutes(dependencies),
    ...deadLetterRoutes(dependencies),
    ...liveRoutes(dependencies),
    overviewRoute(dependencies),
    ...nodeRoutes(dependencies),
    ...systemRoutes(dependencies),
    ...tokenRoutes(dependencies),
    scalerRoute(dependencies),
    metricsRoute(dependencies),
    ...healthRoutes(dependencies),
  ];
}
