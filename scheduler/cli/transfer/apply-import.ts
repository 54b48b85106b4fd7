import { PlatformError } from '#functions';
import type { DoorClient } from '../client.ts';
import { deployedOf } from '../commands/deploy-function.ts';
import type { ImportStep } from './plan-import.ts';
import { readFunctions } from './read-registry.ts';
import type { ExportedFunction, ExportedVersion } from './registry-file.ts';

/** A version that got another number than it has in the file, as the server had used that one up. */
export interface Renumbered {
  readonly function: string;
  readonly from: number;
  readonly to: number;
}

export interface ApplyOptions {
  /** Called for every version that has been stored. */
  onVersion(done: number, name: string): void;
}

/**
 * Carries a plan out, function by function. Until the last step of a function nothing of it is in force; then it is as in the file,
 * with nothing running in between that was paused there. Errors: those of the door, with what was done so far; what is done stays,
 * and the same import again goes on from there.
 */
export async function applyImport(
  door: DoorClient,
  steps: readonly ImportStep[],
  { onVersion }: ApplyOptions,
): Promise<readonly Renumbered[]> {
  const wanted = inOrderOfTriggers(steps.filter(({ action }) => action === 'create' || action === 'replace'));
  const renumbered: Renumbered[] = [];
  let stored = 0;
  for (const [done, step] of wanted.entries()) {
    const { name } = step.function;
    const onStored = (version: ExportedVersion, number: number): void => {
      stored += 1;
      if (number !== version.version) renumbered.push({ function: name, from: version.version, to: number });
      onVersion(stored, name);
    };
    await importFunction(door, step, onStored).catch((reason: unknown) => {
      const error = PlatformError.from(reason, 'FAILED');
      const so = `"${name}" was not imported: ${error.message} (${done} of ${wanted.length} functions are; the same import goes on)`;
      throw new PlatformError(error.code, so, { cause: reason });
    });
  }
  return renumbered;
}

/** Those that are there already first: they may give up a command that a new one takes. */
function inOrderOfTriggers(steps: readonly ImportStep[]): readonly ImportStep[] {
  return [...steps.filter(({ action }) => action === 'replace'), ...steps.filter(({ action }) => action === 'create')];
}

type OnStored = (version: ExportedVersion, number: number) => void;

/** The active version comes into force when its turn is, so that the cap on versions never drops it as one that nobody uses. */
async function importFunction(door: DoorClient, step: ImportStep, onStored: OnStored): Promise<void> {
  const { function: wanted, missing } = step;
  const isMissing = new Set(missing);
  for (const version of wanted.versions) {
    const isActive = version.version === wanted.activeVersion;
    if (!isActive && !isMissing.has(version)) continue;
    const number = await load(door, { wanted, version, isActive });
    if (isMissing.has(version)) onStored(version, number);
  }
  if (wanted.activeVersion === null && step.action === 'replace') await takeOutOfForce(door, wanted);
}

interface Loading {
  readonly wanted: ExportedFunction;
  readonly version: ExportedVersion;
  readonly isActive: boolean;
}

async function load(door: DoorClient, { wanted, version, isActive }: Loading): Promise<number> {
  const { source, language, description } = version;
  const loaded = deployedOf(
    await door.call(
      ...(['RG.FUNCTION', 'LOAD', wanted.name, source, 'LANGUAGE', language, 'NUMBER', version.version] as const),
      ...(description === null ? [] : ['DESCRIPTION', description]),
      isActive ? 'PAUSED' : 'NOACTIVATE',
    ),
  );
  if (isActive) await setRegistrations(door, wanted, loaded.registrations);
  return loaded.version;
}

/** All of them are paused; those that somebody had unregistered go, those that were not paused run. */
async function setRegistrations(door: DoorClient, wanted: ExportedFunction, loaded: readonly string[]): Promise<void> {
  const states = new Map(wanted.registrations.map(({ id, state }) => [id, state]));
  for (const id of loaded.filter((each) => !states.has(each))) await door.call('RG.UNREGISTER', id);
  const running = loaded.filter((id) => states.has(id) && states.get(id) !== 'paused');
  if (running.length > 0) await door.call('RG.UNPAUSEREGISTRATIONS', ...running);
}

async function takeOutOfForce(door: DoorClient, { name }: ExportedFunction): Promise<void> {
  const present = (await readFunctions(door)).find((each) => each.name === name);
  for (const { id } of present?.registrations ?? []) await door.call('RG.UNREGISTER', id);
}
