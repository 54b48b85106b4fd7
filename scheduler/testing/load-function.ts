import { basename, extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  type Artifact,
  bundleFile,
  compileArtifact,
  DEFAULT_LIMITS,
  type LoadableVersion,
  limitsWithin,
  PlatformError,
  rulesOf,
} from '#functions';
import { createRuntime, type Runtime, type VariablesSource } from '#runtime';
import { createLog } from '../log.ts';
import { createShowSource } from './delivery/source-lines.ts';
import { openRedis, PLATFORM_PREFIX, startRedis, type TestRedis } from './redis/test-redis.ts';
import { createSources, type Sources } from './sources.ts';
import type { LoadOptions, TestFunction } from './test-function.ts';
import { createTestHost } from './test-host.ts';
import { testVariables } from './test-variables.ts';
import { createTestFunction, type Witnessed, witnessOf } from './witnessed-function.ts';
import { recordedWorld, redisWorld, type World } from './world.ts';

const MAX_SOURCE_BYTES = 16 * 1024 * 1024;

/**
 * Loads a function into a sandbox of its own. Dispose of it when the test is over: `await using`.
 * Errors: SECRET_MISSING for one that the function asks for and the test does not give; ARTIFACT_INVALID, GUEST_SYNTAX, GUEST_ERROR, GUEST_ARGUMENT, MANIFEST_INVALID with the author's file and line;
 * ARGUMENT_INVALID for options that do not fit; those of `startRedis` and `openRedis`.
 * @example
 * await using clicks = await loadFunction({ file: new URL('./clicks.ts', import.meta.url) });
 */
export async function loadFunction(options: LoadOptions): Promise<TestFunction> {
  checkOptions(options);
  await using opening = new AsyncDisposableStack();
  const { artifact, name } = await artifactOf(options);
  const redis = await redisOf(options, opening);
  const world = redis === null ? recordedWorld(options.replies ?? {}) : redisWorld(redis);
  const sources = sourcesOf(options);
  const showSource = createShowSource(artifact, `${name}.${artifact.language}`);
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  const version: LoadableVersion = {
    functionName: name,
    version: 0,
    artifact,
    limits,
    settings: options.settings ?? {},
  };
  const variables = testVariables(options);
  const witnessed = witnessOf(version, sources);
  const runtime = opening.use(await startRuntime(world, witnessed, variables));
  runtime.serve(createTestHost());
  witnessed.attach(runtime);
  const manifest = await runtime.inspect(version).catch((reason: unknown) => {
    throw withSource(PlatformError.from(reason, 'ARTIFACT_INVALID'), showSource);
  });
  const target = {
    ...version,
    version: 1,
    limits: limitsWithin(limits, manifest.configuration),
    rules: rulesOf(manifest.configuration),
    settings: { ...manifest.configuration?.settings, ...version.settings },
    secrets: manifest.configuration?.secrets ?? [],
  };
  variables.of(target);
  const parts = {
    target,
    manifest,
    redis,
    world,
    sources,
    runtime,
    witnessed,
    showSource,
    record: options.record ?? null,
  };
  return createTestFunction(parts, opening.move());
}

function checkOptions({ file, source, redis, replies, record }: LoadOptions): void {
  if ((file === undefined) === (source === undefined)) {
    throw new PlatformError('ARGUMENT_INVALID', 'loadFunction takes either a file or a source');
  }
  if (redis !== undefined && replies !== undefined) {
    throw new PlatformError('ARGUMENT_INVALID', 'loadFunction takes either a redis or replies in its place');
  }
  if (record !== undefined && replies !== undefined) {
    throw new PlatformError('ARGUMENT_INVALID', 'there is nothing to record where replies take the place of a Redis');
  }
}

async function artifactOf(options: LoadOptions): Promise<{ readonly artifact: Artifact; readonly name: string }> {
  const { file, source = '', language = 'ts' } = options;
  const path = file instanceof URL ? fileURLToPath(file) : (file ?? '');
  const name = options.name ?? (path === '' ? 'function' : basename(path, extname(path)));
  const given = path === '' ? { source, language, sourceMap: null } : await bundleFile(path);
  const fileName = `${name}.${given.language}`;
  const artifact = await compileArtifact({ ...given, sourceMap: null, fileName, maxBytes: MAX_SOURCE_BYTES });
  return { artifact, name };
}

async function redisOf({ redis, replies }: LoadOptions, opening: AsyncDisposableStack): Promise<TestRedis | null> {
  if (replies !== undefined) return null;
  if (typeof redis === 'object') return redis;
  return opening.use(await (redis === undefined ? startRedis() : openRedis(redis)));
}

function sourcesOf({ now, random }: LoadOptions): Sources {
  const sources = createSources();
  if (now !== undefined) sources.clock.set(now);
  if (random !== undefined) sources.random.set(random);
  return sources;
}

/** A kill is what tests want here: no number of them makes the function suspect. */
async function startRuntime({ redis }: World, { witness }: Witnessed, variables: VariablesSource): Promise<Runtime> {
  return await createRuntime({
    access: redis,
    sandboxes: 1,
    prefix: PLATFORM_PREFIX,
    sandbox: { quarantineAfterCrashes: Number.MAX_SAFE_INTEGER },
    log: createLog({ level: 'silent' }),
    rehearsal: witness,
    variables,
  });
}

function withSource(error: PlatformError, showSource: (text: string) => string): PlatformError {
  const lines = showSource(error.message);
  if (lines === '') return error;
  return new PlatformError(error.code, `${error.message}\n${lines}`, { cause: error, details: error.details });
}
