import { test } from 'vitest';
import { createRegistryKeys } from '../../../functions/keys.ts';
import { DEFAULT_LIMITS } from '../../../functions/model/limits.ts';
import { parseManifest } from '../../../functions/model/parse-manifest.ts';
import { createRegistry } from '../../../functions/registry/create-registry.ts';
import { startCluster } from '../../support/redis-cluster.ts';
import { waitFor } from '../../support/wait.ts';
import { streamReport } from './reports.ts';

test('on a cluster every change touches one slot and news reaches a subscriber on any primary', async () => {
  await using cluster = await startCluster({ primaries: 3 });
  const client = cluster.client();
  for (const node of cluster.primaries) {
    const revisions: number[] = [];
    await using registry = createRegistry({
      client,
      openSubscriber: () => node.client.duplicate(),
      keys: createRegistryKeys('rg:'),
      inspect: async ({ functionName }) => parseManifest(functionName, [streamReport(0, 's')]),
      streamHeads: async () => ({ s: '1-0' }),
      limits: DEFAULT_LIMITS,
      settings: {},
      caps: { versions: 10, artifactBytes: 10_000 },
      log: { warn: () => {} },
      pollMs: 60_000,
    });
    registry.watch(async ({ revision }) => {
      revisions.push(revision);
    });
    const { revision } = await registry.load({
      name: 'f',
      source: `// ${node.port}`,
      language: 'js',
      description: null,
      activate: true,
      sourceMap: null,
    });
    await waitFor(() => revisions.at(-1) === revision, { what: 'the news' });
  }
});
