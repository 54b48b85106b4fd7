import { PlatformError } from '#functions';
import type { SchedulerErrorCode } from '../errors.ts';
import type { Settings } from '../settings.ts';
import { checkTogether } from './check-together.ts';
import type { Machine } from './machine.ts';
import { thisMachine } from './machine.ts';
import { nearest } from './nearest.ts';
import { flagOf, keyInFile, type SettingPath, variableOf } from './setting.ts';
import { type AnySetting, settingRows } from './table.ts';

/** Where a value came from; `name` is how it is spelt there. */
export interface Origin {
  readonly source: 'flag' | 'environment' | 'file' | 'default';
  readonly name: string;
}

/** Raw values from the three places, as they were found. */
export interface SettingSources {
  /** By dashed name, without the leading dashes. */
  readonly flags?: Readonly<Record<string, unknown>>;
  /** The whole environment; only `REGEARS_*` and the standard variables of some settings are looked at. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** The parsed file; keys in camelCase (`respPort`) or dashed as the flag (`resp-port`). */
  readonly file?: Readonly<Record<string, unknown>>;
  /** What defaults depend on; this machine when not given. */
  readonly machine?: Machine;
}

/** Settings in force and where each came from. */
export interface ResolvedSettings {
  readonly settings: Settings;
  readonly origins: Readonly<Record<SettingPath, Origin>>;
}

/** Variables that begin with `REGEARS_` and are no settings: where the CLI finds the door and the file. */
export const OTHER_VARIABLES: readonly string[] = ['REGEARS_URL', 'REGEARS_CONFIG'];

interface Found {
  readonly origin: Origin;
  readonly raw: unknown;
}

/**
 * Flags before environment before file before default. Throws CONFIG_INVALID that lists every unknown name (with the
 * nearest known one) and every wrong value (with what is allowed).
 */
export function resolveSettings(sources: SettingSources): ResolvedSettings {
  const found = [
    ...fromFlags(sources.flags ?? {}),
    ...fromEnvironment(sources.env ?? {}),
    ...fromFile(sources.file ?? {}),
    ...fromStandards(sources.env ?? {}),
  ];
  const problems = found.filter(isProblem);
  const values = new Map<SettingPath, unknown>();
  const origins = new Map<SettingPath, Origin>();
  const machine = sources.machine ?? thisMachine();
  for (const [path, row] of settingRows()) {
    const given = found.filter((each): each is Given => !isProblem(each) && each.path === path);
    problems.push(...checkValues(row, given));
    const winner = given[0];
    values.set(path, winner === undefined ? defaultOf(row, machine) : row.kind.parse(winner.raw));
    origins.set(path, winner?.origin ?? { source: 'default', name: 'default' });
  }
  refuse(problems);
  const settings = assemble(values);
  refuse(checkTogether(settings));
  return { settings, origins: Object.fromEntries(origins) as Record<SettingPath, Origin> };
}

interface Given extends Found {
  readonly path: SettingPath;
}

interface Problem {
  readonly text: string;
}

function isProblem(each: Given | Problem): each is Problem {
  return 'text' in each;
}

function fromFlags(flags: Readonly<Record<string, unknown>>): (Given | Problem)[] {
  const byFlag = namesBy(flagOf);
  return Object.entries(flags)
    .filter(([, raw]) => raw !== undefined)
    .map(([name, raw]) => locate({ origin: { source: 'flag', name: flagOf(name) }, raw }, byFlag));
}

function fromEnvironment(env: Readonly<Record<string, string | undefined>>): (Given | Problem)[] {
  const byVariable = namesBy(variableOf);
  return Object.entries(env)
    .filter(([name, raw]) => raw !== undefined && name.startsWith('REGEARS_') && !OTHER_VARIABLES.includes(name))
    .map(([name, raw]) => locate({ origin: { source: 'environment', name }, raw }, byVariable));
}

/** Weaker than everything that is meant for this program alone. */
function fromStandards(env: Readonly<Record<string, string | undefined>>): Given[] {
  return settingRows().flatMap(([path, { standard = [] }]) =>
    standard.flatMap(({ name, read }) => {
      const raw = env[name] === undefined || env[name] === '' ? undefined : read(env[name], env);
      return raw === undefined ? [] : [{ origin: { source: 'environment' as const, name }, raw, path }];
    }),
  );
}

function fromFile(file: Readonly<Record<string, unknown>>): (Given | Problem)[] {
  const byKey = new Map([
    ...namesBy((name) => name),
    ...settingRows().map(([path, row]) => [keyInFile(row), path] as const),
  ]);
  const located = Object.entries(file).map(([name, raw]) => locate({ origin: { source: 'file', name }, raw }, byKey));
  const seen = new Map<SettingPath, string>();
  return located.map((each) => {
    if (isProblem(each)) return each;
    const earlier = seen.get(each.path);
    seen.set(each.path, each.origin.name);
    if (earlier === undefined) return each;
    return { text: `${earlier} and ${each.origin.name} (file) are the same setting: keep one of them` };
  });
}

function namesBy(spell: (name: string) => string): Map<string, SettingPath> {
  return new Map(settingRows().map(([path, row]) => [spell(row.name), path]));
}

function locate(found: Found, known: ReadonlyMap<string, SettingPath>): Given | Problem {
  const path = known.get(found.origin.name);
  if (path !== undefined) return { ...found, path };
  const meant = nearest(found.origin.name, known.keys());
  const hint = meant === undefined ? '`regears config` lists all settings' : `did you mean ${meant}?`;
  return { text: `${found.origin.name} (${found.origin.source}) is not a setting: ${hint}` };
}

/** Also values that a stronger source overrides must be right: a wrong one is a mistake waiting for its day. */
function checkValues(row: AnySetting, given: readonly Given[]): Problem[] {
  return given
    .filter((each) => row.kind.parse(each.raw) === undefined)
    .map(({ origin, raw }) => ({
      text: `${origin.name} (${origin.source}) is ${describe(row, raw)}; allowed is ${row.kind.allowed}`,
    }));
}

/** A wrong Redis URL may hold a password and therefore is shown without what stands before its last @. */
function describe(row: AnySetting, raw: unknown): string {
  const shown = JSON.stringify(raw) ?? String(raw);
  return row.kind.name === 'url' ? shown.replace(/(:\/\/|").*@/, '$1***@') : shown;
}

function defaultOf(row: AnySetting, machine: Machine): unknown {
  return typeof row.default === 'function' ? (row.default as (machine: Machine) => unknown)(machine) : row.default;
}

/** Builds the nested Settings from values by path; complete because the table is. */
function assemble(values: ReadonlyMap<SettingPath, unknown>): Settings {
  const settings: Record<string, unknown> = {};
  for (const [path, value] of values) {
    const [head = '', field] = path.split('.');
    if (field === undefined) settings[head] = value;
    else settings[head] = { ...(settings[head] as object | undefined), [field]: value };
  }
  return settings as unknown as Settings;
}

function refuse(problems: readonly Problem[]): void {
  if (problems.length === 0) return;
  const texts = problems.map((problem) => problem.text);
  throw new PlatformError<SchedulerErrorCode>('CONFIG_INVALID', texts.join('\n'), { details: { problems: texts } });
}
