import type { Artifact } from '../artifacts/artifact.ts';
import { encodeArtifact } from '../artifacts/artifact-store.ts';
import { compileArtifact } from '../artifacts/compile.ts';
import { PlatformError } from '../errors.ts';
import type { Manifest } from '../model/manifest.ts';
import { checkFunctionName } from '../model/parse-manifest.ts';
import { type Activation, versionsBeyondCap } from './activation.ts';
import { putInForce } from './put-in-force.ts';
import type {
  FunctionRecord,
  LoadFunctionRequest,
  LoadFunctionResult,
  RegistrySnapshot,
  VersionRecord,
} from './registry.ts';
import { type RegistryContext, requireFunction, secretsOf } from './registry-context.ts';
import { type Write, writeFunction, writeVersion } from './registry-storage.ts';
import { dropVersions, removeWrites } from './remove-function.ts';
import { type Change, changeRegistry } from './transaction.ts';

interface LoadPlan {
  readonly request: LoadFunctionRequest;
  readonly artifact: Artifact;
  readonly inspect: () => Promise<Manifest>;
  readonly nowMs: number;
}

/** @see Registry.load */
export async function loadFunction(
  context: RegistryContext,
  request: LoadFunctionRequest,
): Promise<LoadFunctionResult> {
  const { name, source, language, sourceMap } = request;
  checkFunctionName(name);
  if (request.replaces === name) {
    throw new PlatformError('ARGUMENT_INVALID', `the function "${name}" cannot replace itself; load it again instead`);
  }
  const { limits, settings, caps } = context;
  const fileName = `${name}.${language}`;
  const artifact = await compileArtifact({ source, language, sourceMap, fileName, maxBytes: caps.artifactBytes });
  let manifest: Promise<Manifest> | null = null;
  const inspect = (): Promise<Manifest> => {
    manifest ??= context.inspect({ functionName: name, version: 0, artifact, limits, settings });
    return manifest;
  };
  const plan: LoadPlan = { request, artifact, inspect, nowMs: context.nowMs() };
  return changeRegistry(context.storage, (snapshot) => planLoad(context, plan, snapshot));
}

async function planLoad(
  context: RegistryContext,
  plan: LoadPlan,
  snapshot: RegistrySnapshot,
): Promise<Change<LoadFunctionResult>> {
  const { request, artifact, nowMs } = plan;
  const { name, replaces = null } = request;
  const before = snapshot.functions.get(name);
  if (before !== undefined && request.mustBeNew === true) {
    throw new PlatformError('FUNCTION_EXISTS', `the function "${name}" exists already`, { details: { name } });
  }
  if (replaces !== null) requireFunction(snapshot, replaces);

  const versions = await context.storage.versions(name);
  const known = versions.findLast(({ sha256 }) => sha256 === artifact.sha256);
  const version = known ?? (await newVersion(context, plan, before));
  const activates = request.activate && !keepsWhatIs(request, version);
  const force = activates
    ? await putInForce(context, {
        ...{ snapshot, version, replaces, rewind: null, nowMs },
        startsPaused: request.startsPaused === true,
      })
    : null;

  // First: what goes may have the very source that comes.
  const writes: Write[] = activates && replaces !== null ? [...(await removeWrites(context, snapshot, replaces))] : [];
  writes.push(...(force?.writes ?? []));
  if (known === undefined) {
    writes.push(writeVersion(context.keys, version));
    writes.push(['HSETNX', context.keys.artifacts, artifact.sha256, encodeArtifact(artifact)]);
    const beyond = versionsBeyondCap(
      [...versions, version],
      versionsInUse(snapshot, before, force),
      context.caps.versions,
    );
    writes.push(...(await dropVersions(context, snapshot, beyond)));
  }
  if (before === undefined) writes.push(['HDEL', context.keys.numbers, name]);
  const after = functionAfter(plan, before, { version, activates });
  if (writes.length > 0 || differs(before, after)) writes.push(writeFunction(context.keys, after));

  const registrationIds = version.manifest.registrations.map(({ id }) => id);
  const { version: number, sha256 } = version;
  return { writes, result: (revision) => ({ name, version: number, sha256, registrationIds, revision }) };
}

/** Numbers go on where a removed function of the name ended: caches and records never see one number mean two things. */
async function newVersion(
  { storage }: RegistryContext,
  { request, artifact, inspect, nowMs }: LoadPlan,
  before: FunctionRecord | undefined,
): Promise<VersionRecord> {
  const manifest = await inspect();
  const last = before?.latestVersion ?? (await storage.lastNumber(request.name));
  return {
    functionName: request.name,
    version: Math.max(last + 1, request.number ?? 0),
    sha256: artifact.sha256,
    language: artifact.language,
    description: request.description,
    createdAtMs: nowMs,
    manifest,
  };
}

function keepsWhatIs(request: LoadFunctionRequest, version: VersionRecord): boolean {
  return request.keepWhenEmpty === true && version.manifest.registrations.length === 0;
}

function versionsInUse(
  snapshot: RegistrySnapshot,
  before: FunctionRecord | undefined,
  force: { readonly activation: Activation } | null,
): ReadonlySet<number> {
  const present = [...snapshot.registrations.values()].filter(({ functionName }) => functionName === before?.name);
  const registrations = force?.activation.inForce ?? present;
  const routed = registrations.flatMap(({ routes }) => routes.map(({ version }) => version));
  // The active one stays rollback's default also when nothing routes to it any more.
  return new Set([...routed, before?.activeVersion ?? 0]);
}

function functionAfter(
  { request, nowMs }: LoadPlan,
  before: FunctionRecord | undefined,
  { version, activates }: { readonly version: VersionRecord; readonly activates: boolean },
): FunctionRecord {
  return {
    name: request.name,
    description: request.description ?? before?.description ?? null,
    activeVersion: activates ? version.version : (before?.activeVersion ?? null),
    latestVersion: Math.max(before?.latestVersion ?? 0, version.version),
    createdAtMs: before?.createdAtMs ?? nowMs,
    updatedAtMs: nowMs,
    ...secretsOf(activates ? version.manifest : before),
    ...(before?.variablesRevision === undefined ? {} : { variablesRevision: before.variablesRevision }),
  };
}

function differs(before: FunctionRecord | undefined, after: FunctionRecord): boolean {
  return before?.activeVersion !== after.activeVersion || before.description !== after.description;
}
