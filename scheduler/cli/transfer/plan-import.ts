import type { DoorClient } from '../client.ts';
import { type FunctionFacts, readFunctions, readVersions, type VersionFacts } from './read-registry.ts';
import type { ExportedFunction, ExportedVersion } from './registry-file.ts';

/** What becomes of a function that is on the server already, and is not as in the file. */
export const CONFLICT_RULES = ['fail', 'skip', 'replace'] as const;
export type ConflictRule = (typeof CONFLICT_RULES)[number];

/** What an import does to one function. */
export interface ImportStep {
  /**
   * `create`: the server has none of this name. `replace`: it gets the versions it lacks, and what is active and paused becomes as
   * in the file. `unchanged`: it is so already. `skip`: it differs and stays. `conflict`: it must not be imported.
   */
  readonly action: 'create' | 'replace' | 'unchanged' | 'skip' | 'conflict';
  readonly function: ExportedFunction;
  /** Versions of the file that the server lacks. */
  readonly missing: readonly ExportedVersion[];
  /** In words, what differs; empty where nothing does. */
  readonly differences: readonly string[];
}

/** Compares a file with the server; changes nothing. Steps are in the order of the file. Errors: those of the door. */
export async function planImport(
  door: DoorClient,
  functions: readonly ExportedFunction[],
  rule: ConflictRule,
): Promise<readonly ImportStep[]> {
  const present = await readFunctions(door);
  const byName = new Map(present.map((facts) => [facts.name, facts]));
  const steps: ImportStep[] = [];
  for (const wanted of functions) steps.push(await planStep(door, { wanted, before: byName.get(wanted.name), rule }));
  return steps.map((step) => refuseForeignTriggers(step, { steps, present, rule }));
}

interface StepFacts {
  readonly wanted: ExportedFunction;
  readonly before: FunctionFacts | undefined;
  readonly rule: ConflictRule;
}

async function planStep(door: DoorClient, { wanted, before, rule }: StepFacts): Promise<ImportStep> {
  if (before === undefined) return { action: 'create', function: wanted, missing: wanted.versions, differences: [] };
  const stored = await readVersions(door, wanted.name);
  const known = new Set(stored.map(({ sha256 }) => sha256));
  const missing = wanted.versions.filter(({ sha256 }) => !known.has(sha256));
  const differences = [
    ...(missing.length > 0 ? [`lacks ${missing.length} of ${wanted.versions.length} versions`] : []),
    ...activeDifference(wanted, before, activeHashOf(before, stored)),
    ...registrationDifferences(wanted, before),
  ];
  if (differences.length === 0) return { action: 'unchanged', function: wanted, missing, differences };
  const action = rule === 'fail' ? 'conflict' : rule;
  return { action, function: wanted, missing, differences };
}

function activeHashOf(before: FunctionFacts, stored: readonly VersionFacts[]): string | null {
  const active = stored.find(({ version }) => version === before.activeVersion);
  return active?.sha256 ?? null;
}

/** A version with nothing registered is as good as none. */
function activeDifference(
  wanted: ExportedFunction,
  before: FunctionFacts,
  activeHash: string | null,
): readonly string[] {
  const wantedHash = wanted.versions.find(({ version }) => version === wanted.activeVersion)?.sha256 ?? null;
  if (wantedHash === activeHash || (wantedHash === null && before.registrations.length === 0)) return [];
  return [wantedHash === null ? 'has a version in force, none in the file' : 'has another source in force'];
}

/** Whether they run is a decision of people; that they were aborted is history of the server they come from. */
function registrationDifferences(wanted: ExportedFunction, before: FunctionFacts): readonly string[] {
  const present = new Map(before.registrations.map(({ id, state }) => [id, state]));
  const absent = wanted.registrations.filter(({ id }) => !present.has(id));
  const other = before.registrations.filter(({ id }) => !wanted.registrations.some((each) => each.id === id));
  const paused = wanted.registrations.filter(
    ({ id, state }) => present.has(id) && (state === 'paused') !== (present.get(id) === 'paused'),
  );
  return [
    ...absent.map(({ id }) => `does not have ${id} in force`),
    ...other.map(({ id }) => `has ${id} in force`),
    ...paused.map(({ id, state }) => (state === 'paused' ? `${id} is not paused` : `${id} is paused`)),
  ];
}

interface Surroundings {
  readonly steps: readonly ImportStep[];
  readonly present: readonly FunctionFacts[];
  readonly rule: ConflictRule;
}

/** A command belongs to one function; that another one has it on the server would be found out half-way. */
function refuseForeignTriggers(step: ImportStep, { steps, present, rule }: Surroundings): ImportStep {
  if (step.action === 'unchanged' || step.action === 'skip') return step;
  const own = step.function.name;
  const taken = step.function.registrations.flatMap(({ id }) => {
    const trigger = triggerOf(own, id);
    const owner = trigger === null ? undefined : present.find((other) => ownsTrigger(other, own, trigger));
    return owner === undefined || isGivenUp(owner, steps, trigger) ? [] : [`${owner.name} has the command ${trigger}`];
  });
  if (taken.length === 0) return step;
  return { ...step, action: rule === 'skip' ? 'skip' : 'conflict', differences: [...step.differences, ...taken] };
}

/** Ids of commands are `<function>/command/<trigger>`. */
function triggerOf(functionName: string, registrationId: string): string | null {
  const begin = `${functionName}/command/`;
  return registrationId.startsWith(begin) ? registrationId.slice(begin.length) : null;
}

function ownsTrigger(other: FunctionFacts, own: string, trigger: string): boolean {
  return other.name !== own && other.registrations.some(({ id }) => triggerOf(other.name, id) === trigger);
}

/** The owner comes earlier in the file, and does not have the command there. */
function isGivenUp(owner: FunctionFacts, steps: readonly ImportStep[], trigger: string | null): boolean {
  const change = steps.find(({ function: each, action }) => each.name === owner.name && action === 'replace');
  return change !== undefined && !change.function.registrations.some(({ id }) => triggerOf(owner.name, id) === trigger);
}
