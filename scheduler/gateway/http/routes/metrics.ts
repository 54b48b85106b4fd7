import { CONTENT_TYPES, formatFor } from '../../../metrics/exposition.ts';
import type { HttpDependencies } from '../dependencies.ts';
import { defineRoute, type HttpRoute } from '../route.ts';

/** `/metrics`: one scrape of this node. */
export function metricsRoute({ metrics, settings }: HttpDependencies): HttpRoute {
  const isOpen = settings.http.metricsAccess === 'open';
  return defineRoute({
    ...{ method: 'GET', path: '/metrics', role: isOpen ? null : 'read', area: 'Health' },
    unconditional: true,
    summary: 'Numbers for a Prometheus',
    description:
      'Prometheus text format, or OpenMetrics where `Accept` asks for it; what the names mean is in docs/monitoring.md. It answers ' +
      'also while Redis is away or the node drains. With `--metrics-access open` it asks for no token.',
    answers: { 200: { description: 'Text', type: 'text/plain' } },
    async handle({ headers }) {
      const format = formatFor(headers.accept);
      return { text: await metrics.scrape(format), type: CONTENT_TYPES[format] };
    },
  });
}
