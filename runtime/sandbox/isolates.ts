import { createRedactor, type LoadableVersion, type Redactor } from '#functions';
import type { GuestError } from '../invocation.ts';
import type { GuestVariables } from '../variables.ts';
import { createErrorTransfer } from './error-transfer.ts';
import type { LoadRequest } from './messages.ts';
import { redactedError } from './redaction.ts';
import type { SandboxProcess } from './sandbox.ts';
import type { Slot } from './slots.ts';

/** One live version in one process. Held by every batch that runs in it. */
export interface LoadedIsolate {
  /** Who is blamed: name, version and content. */
  readonly key: string;
  readonly target: LoadableVersion;
  readonly slot: Slot;
  readonly process: SandboxProcess;
  readonly handle: number;
  /** Turns a report of this isolate into an error with the author's lines. */
  readonly toGuestError: (report: unknown) => GuestError;
  /** What its guest may read by name at present. */
  variables: GuestVariables | null;
  /** Of every secret it has ever had: its code may have kept an earlier one. Null = it has had none. */
  redactor: Redactor | null;
  secrets: readonly (readonly [name: string, value: string])[];
  /** Batches that run in it. */
  uses: number;
  lastUsedMs: number;
  /** True: not handed out any more, unloaded with the last use. */
  retired: boolean;
}

/**
 * A version is the same only if its content is: a deleted function's numbers begin at 1 again. A script (version 0) also has
 * the settings of the moment, which differ from run to run.
 */
export function versionKey({ functionName, version, artifact, settings }: LoadableVersion): string {
  const key = `${functionName}@${version}:${artifact.sha256.slice(0, 16)}`;
  return version === 0 ? `${key}:${JSON.stringify(Object.entries(settings).sort())}` : key;
}

/** Name of a version's script in stack traces, before they are mapped. */
export function scriptName(version: LoadableVersion): string {
  return `${version.functionName}.v${version.version}.js`;
}

export function loadRequest(version: LoadableVersion, handle: number, inspectOnly: boolean): LoadRequest {
  const { limits } = version;
  return {
    handle,
    functionName: version.functionName,
    version: version.version,
    code: version.artifact.code,
    fileName: scriptName(version),
    memoryBytes: limits.memoryBytes,
    callMs: limits.callMs,
    commandsPerEvent: limits.commandsPerEvent,
    commandBytes: limits.commandBytes,
    outputBytes: limits.outputBytes,
    settings: version.settings,
    inspectOnly,
  };
}

export function newIsolate(
  target: LoadableVersion,
  place: Pick<LoadedIsolate, 'key' | 'slot' | 'handle'>,
): LoadedIsolate {
  const { functionName, artifact } = target;
  const sourceName = `${functionName}.${artifact.language}`;
  const transfer = createErrorTransfer({ artifact, fileName: scriptName(target), sourceName });
  const isolate: LoadedIsolate = {
    ...place,
    target,
    process: place.slot.process,
    toGuestError: (report) => redactedError(transfer(report), isolate.redactor),
    variables: null,
    redactor: null,
    secrets: [],
    uses: 0,
    lastUsedMs: performance.now(),
    retired: false,
  };
  return isolate;
}

/** Sees to it that a guest reads these, before the next frame. */
export function supplyVariables(isolate: LoadedIsolate, variables: GuestVariables | null): void {
  if (isolate.variables === variables) return;
  isolate.variables = variables;
  isolate.process.supply(isolate.handle, variables);
  const known = new Set(isolate.secrets.map(([, value]) => value));
  const fresh = Object.entries(variables?.secrets ?? {}).filter(([, value]) => !known.has(value));
  if (fresh.length === 0) return;
  isolate.secrets = [...isolate.secrets, ...fresh];
  isolate.redactor = createRedactor(isolate.secrets);
}

/** Counts one use more. */
export function useIsolate(isolate: LoadedIsolate): LoadedIsolate {
  isolate.uses += 1;
  isolate.lastUsedMs = performance.now();
  return isolate;
}

/** Those to give up, longest unused first, among the ones nobody runs in. */
export function leastRecentlyUsed(isolates: Iterable<LoadedIsolate>): LoadedIsolate[] {
  return [...isolates].filter((isolate) => isolate.uses === 0).sort((a, b) => a.lastUsedMs - b.lastUsedMs);
}
