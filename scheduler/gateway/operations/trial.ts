import {
  type ActiveRegistration,
  encodeBulk,
  encodeCommand,
  type LoadableVersion,
  latin1FromUtf8,
  PlatformError,
  type RegistrationSpec,
  type SourceLanguage,
} from '#functions';
import type { EndedEntries, GuestError, Invocation } from '#runtime';
import { keysPayload } from '../../triggers/keys-batch.ts';
import type { OperationDependencies } from './dependencies.ts';
import { inspectScript } from './inspect-script.ts';
import { createTrialRecorder, type TrialRecord } from './trial-recorder.ts';

/** What is to be tried: a registration in force (also in another version), or a source that is nowhere yet. */
export type TrialSubject =
  | { readonly kind: 'registration'; readonly id: string; readonly version?: number | undefined }
  | {
      readonly kind: 'source';
      readonly source: string;
      readonly language: SourceLanguage;
      /** Position or id among its registrations; default the first. */
      readonly registration?: number | string | undefined;
    };

/** The sample. Bytes are latin1. */
export type TrialEvent =
  | { readonly kind: 'command'; readonly args: readonly string[] }
  | {
      readonly kind: 'entry';
      readonly stream: string;
      readonly id: string;
      readonly fields: readonly (readonly [string, string])[];
    }
  | { readonly kind: 'key'; readonly key: string; readonly event: string };

export interface TrialRequest {
  readonly subject: TrialSubject;
  readonly event: TrialEvent;
  /** Ends the trial. */
  readonly signal: AbortSignal;
}

export interface Trial extends TrialRecord {
  readonly outcome: 'done' | 'filtered' | 'failed';
  /** RESP2 array of results, latin1. */
  readonly results: string;
  readonly error: GuestError | null;
  readonly durationMs: number;
  readonly functionName: string;
  readonly version: number;
  readonly registrationId: string;
}

export type TrialDependencies = Pick<
  OperationDependencies,
  'registry' | 'access' | 'execute' | 'inspect' | 'settings' | 'options' | 'variables'
>;

interface Tried {
  readonly spec: RegistrationSpec;
  readonly target: LoadableVersion;
}

/**
 * Runs one sample through a function for real, and shows what it did: outside of streams, retries, counters and dead letters.
 * Errors: REGISTRATION_NOT_FOUND, VERSION_NOT_FOUND, ARGUMENT_INVALID for a sample of the wrong kind, those of a source that does
 * not load. What the function throws is in the result.
 */
export async function runTrial(dependencies: TrialDependencies, request: TrialRequest): Promise<Trial> {
  const { spec, target } = await findSubject(dependencies, request.subject);
  const recorder = createTrialRecorder((text) => dependencies.variables.redact(text));
  let ended: EndedEntries | null = null;
  const outcome = await dependencies.execute({
    ...(await sampleOf(dependencies, spec, request.event)),
    target,
    registrationIndex: spec.index,
    registrationId: spec.id,
    entryCount: 1,
    executionSize: 1,
    ordered: true,
    wantResults: true,
    around: recorder.around,
    next: recorder.handOn,
    onLogs: recorder.logs,
    onEnded: (now) => {
      if (now.done.length + now.filtered.length + now.failed.length > 0) ended = now;
    },
    signal: request.signal,
  });
  return {
    ...recorder.record(),
    ...endOf(ended),
    durationMs: outcome.durationMs,
    functionName: target.functionName,
    version: target.version,
    registrationId: spec.id,
  };
}

function endOf(ended: EndedEntries | null): Pick<Trial, 'outcome' | 'results' | 'error'> {
  const error = ended?.failed[0]?.error ?? null;
  const results = ended?.results?.[0] ?? '*0\r\n';
  if (error !== null) return { outcome: 'failed', results: '*0\r\n', error };
  return { outcome: (ended?.filtered.length ?? 0) > 0 ? 'filtered' : 'done', results, error };
}

async function findSubject(dependencies: TrialDependencies, subject: TrialSubject): Promise<Tried> {
  if (subject.kind === 'source') return inSource(dependencies, subject);
  const { registry } = dependencies;
  const { id } = subject;
  const active = registry.snapshot().registrations.get(id);
  if (active === undefined) throw notRegistered(`there is no registration ${id.slice(0, 200)}`);
  const version = subject.version ?? active.version;
  const spec = await specOf(dependencies, active, version);
  return { spec, target: await registry.loadable(active.functionName, version) };
}

async function specOf(
  { registry }: TrialDependencies,
  active: ActiveRegistration,
  version: number,
): Promise<RegistrationSpec> {
  if (version === active.version) return active.spec;
  const { manifest } = await registry.get(active.functionName, version);
  const spec = manifest.registrations.find(({ id }) => id === active.spec.id);
  if (spec !== undefined) return spec;
  throw notRegistered(`version ${version} of ${active.functionName} does not register ${active.spec.id}`);
}

async function inSource(
  dependencies: TrialDependencies,
  { source, language, registration = 0 }: Extract<TrialSubject, { kind: 'source' }>,
): Promise<Tried> {
  const { target, manifest } = await inspectScript(dependencies, { id: null, source, language });
  const { registrations } = manifest;
  const spec = registrations.find(({ id }, at) => id === registration || at === registration);
  if (spec !== undefined) return { spec, target };
  const known = registrations.map(({ id }) => id).join(', ');
  const message = `the source has no registration ${registration}; it has ${known === '' ? 'none' : known}`;
  throw new PlatformError('ARGUMENT_INVALID', message);
}

function notRegistered(message: string): PlatformError {
  return new PlatformError('REGISTRATION_NOT_FOUND', message);
}

type Sample = Pick<Invocation, 'shape' | 'payload' | 'key' | 'hashtag'>;

async function sampleOf(
  { access }: TrialDependencies,
  { trigger, id, reader }: RegistrationSpec,
  event: TrialEvent,
): Promise<Sample> {
  const of = (shape: Invocation['shape'], payload: string, key: string): Sample => {
    return { shape, payload, key: shape === 'stream' ? key : '', hashtag: access.tagOf(key) };
  };
  if (event.kind === 'command' && (trigger.kind === 'command' || trigger.kind === 'hook')) {
    const name = latin1FromUtf8(trigger.kind === 'command' ? trigger.trigger : trigger.hook);
    return of(trigger.kind, `*1\r\n${encodeCommand([name, ...event.args])}`, name);
  }
  if (event.kind === 'key' && trigger.kind === 'keys') {
    const what = { type: trigger.readValue || trigger.keyTypes !== null, value: trigger.readValue };
    const stored = { key: event.key, event: latin1FromUtf8(event.event), command: '', token: '' };
    await using pipe = access.openPipe('trial');
    return of('keys', await keysPayload(pipe, [stored], what), event.key);
  }
  const isStreamed = trigger.kind !== 'command' && trigger.kind !== 'hook' && trigger.kind !== 'keys';
  if (event.kind === 'entry' && isStreamed) {
    const fields = event.fields.flat();
    const entry = `*2\r\n${encodeBulk(latin1FromUtf8(event.id))}*${fields.length}\r\n${fields.map((text) => encodeBulk(text)).join('')}`;
    return of('stream', `*1\r\n${entry}`, event.stream);
  }
  const wanted = { command: 'a command', hook: 'a command', keys: 'a key' } as Readonly<Record<string, string>>;
  const message = `${id} (${reader}) is tried with ${wanted[trigger.kind] ?? 'an entry'}, not with "${event.kind}"`;
  throw new PlatformError('ARGUMENT_INVALID', message, { details: { at: 'body', path: '' } });
}
