import type { LoadableVersion } from '../artifacts/artifact.ts';
import { createArtifactStore } from '../artifacts/artifact-store.ts';
import { limitsWithin, rulesOf } from '../model/configuration.ts';
import type { RedisAccess } from '../redis/redis-access.ts';
import { changeVariables } from './change-variables.ts';
import { loadFunction } from './load-function.ts';
import { createLoadableCache } from './loadable-cache.ts';
import type { Registry } from './registry.ts';
import { type RegistryContext, requireFunction, versionNotFound } from './registry-context.ts';
import { createRegistryStorage, type RegistryLog } from './registry-storage.ts';
import { removeFunction, setStates, unregister } from './remove-function.ts';
import { rollBack } from './roll-back.ts';
import { createSnapshotFeed, type OpenSubscriber } from './snapshot-feed.ts';

export interface RegistryOptions extends Omit<RegistryContext, 'storage' | 'nowMs'> {
  readonly client: RedisAccess['client'];
  /** A connection of its own for SUBSCRIBE, to any shard; the registry closes it. */
  readonly openSubscriber: OpenSubscriber;
  readonly log: RegistryLog;
  /** Period of looking for news that no message told of, ms. Default 1000. */
  readonly pollMs?: number;
  /** Default `Date.now`. */
  readonly nowMs?: () => number;
}

const DEFAULT_POLL_MS = 1_000;
const CACHED_VERSIONS = 1_000;
const CACHED_BYTES = 256 * 1024 * 1024;

/** The registry over Redis. `snapshot()` is empty until the first read has come back, and `watch` waits for it. */
export function createRegistry(options: RegistryOptions): Registry {
  const { client, keys, log } = options;
  const storage = createRegistryStorage(client, keys, log);
  const artifacts = createArtifactStore(client, keys.artifacts);
  const context: RegistryContext = { ...options, storage, nowMs: options.nowMs ?? Date.now };
  const feed = createSnapshotFeed({
    storage,
    openSubscriber: options.openSubscriber,
    channel: keys.changes,
    pollMs: options.pollMs ?? DEFAULT_POLL_MS,
    onWiped: () => cache.clear(),
    log,
  });
  const applied = async <T>(change: Promise<T>): Promise<T> => {
    const result = await change;
    await feed.refresh();
    return result;
  };
  const get: Registry['get'] = async (name, version) => {
    const record = requireFunction(await feed.refresh(), name);
    const wanted = version ?? record.activeVersion ?? record.latestVersion;
    const found = await storage.version(name, wanted);
    const artifact = found === null ? null : await artifacts.get(found.sha256);
    if (found === null || artifact === null) throw versionNotFound(name, wanted);
    return { ...found, artifact };
  };
  const cache = createLoadableCache({
    maxEntries: CACHED_VERSIONS,
    maxBytes: CACHED_BYTES,
    load: async (name, version) => loadableOf(await get(name, version), options),
  });
  return {
    load: (request) => applied(loadFunction(context, request)),
    list: async () => {
      const { functions } = await feed.refresh();
      return [...functions.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
    },
    async versions(name) {
      requireFunction(await feed.refresh(), name);
      return storage.versions(name);
    },
    get,
    rollback: (name, version, fromId) => applied(rollBack(context, { name, version, fromId })),
    remove: (name) => applied(removeFunction(context, name)),
    async variables(name) {
      const { variablesRevision = 0 } = requireFunction(await feed.refresh(), name);
      return { revision: variablesRevision, variables: await storage.variables(name) };
    },
    changeVariables: (change) => applied(changeVariables(context, change)),
    unregister: (registrationId) => applied(unregister(context, registrationId)),
    setState: (ids, state, reason) => applied(setStates(context, { ids, state, reason })),
    abort: (ids, reason) => applied(setStates(context, { ids, state: 'aborted', reason, abortsWork: true })),
    snapshot: () => feed.current(),
    loadable: (name, version) => cache.get(name, version),
    watch: (listener) => feed.watch(listener),
    [Symbol.asyncDispose]: () => feed[Symbol.asyncDispose](),
  };
}

type StoredVersion = Awaited<ReturnType<Registry['get']>>;

function loadableOf(stored: StoredVersion, platform: Pick<RegistryOptions, 'limits' | 'settings'>): LoadableVersion {
  const { functionName, version, artifact, manifest } = stored;
  return {
    ...{ functionName, version, artifact, settings: platform.settings },
    limits: limitsWithin(platform.limits, manifest.configuration),
    rules: rulesOf(manifest.configuration),
    secrets: manifest.configuration?.secrets ?? [],
  };
}
