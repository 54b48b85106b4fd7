import { PlatformError } from '#functions';
import { CONFIG_OPTIONS, spelledAsInTable } from './config-options.ts';
import type { OperationDependencies } from './dependencies.ts';

/** An option of the fleet, or what has become of one that RedisGears had. */
export interface OptionReport {
  readonly name: string;
  /** Null = it has none. */
  readonly value: string | null;
  readonly changeable: boolean;
  readonly note: string | null;
}

type OptionDependencies = Pick<OperationDependencies, 'options' | 'settings'>;

/** Those of the table, then the users' own, by name. */
export async function listOptions(dependencies: OptionDependencies): Promise<readonly OptionReport[]> {
  const set = await dependencies.options.read();
  const own = Object.entries(dependencies.options.forFunctions).map(([name, value]): OptionReport => {
    return { name, value, changeable: true, note: null };
  });
  const known = Object.keys(CONFIG_OPTIONS).map((name) => reportOf(name, set, dependencies));
  return [...known, ...own.sort((a, b) => (a.name < b.name ? -1 : 1))];
}

/** ARGUMENT_INVALID for one that cannot be changed, or not to this. */
export async function setOption(dependencies: OptionDependencies, name: string, value: string): Promise<OptionReport> {
  const known = spelledAsInTable(name);
  const option = Object.hasOwn(CONFIG_OPTIONS, known) ? CONFIG_OPTIONS[known] : undefined;
  if (option?.kind === 'absent') throw refused(`${known} does not apply: ${option.why}`);
  if (option?.kind === 'fixed') throw refused(`${known} is fixed while a node runs (setting ${option.setting})`);
  if (option !== undefined && !(isWhole(value) && option.isValid(Number(value)))) {
    throw refused(`"${value.slice(0, 100)}" is no value of ${known}: it takes a whole number`);
  }
  await dependencies.options.set(known, value);
  if (option === undefined) return { name: known, value, changeable: true, note: null };
  return reportOf(known, await dependencies.options.read(), dependencies);
}

function reportOf(name: string, set: ReadonlyMap<string, string>, { settings }: OptionDependencies): OptionReport {
  const option = CONFIG_OPTIONS[name];
  if (option?.kind === 'absent') return { name, value: null, changeable: false, note: option.why };
  if (option?.kind === 'fixed') {
    return { name, value: String(option.value(settings)), changeable: false, note: `setting ${option.setting}` };
  }
  return { name, value: set.get(name) ?? String(option?.preset(settings) ?? ''), changeable: true, note: null };
}

function isWhole(value: string): boolean {
  return /^-?\d+$/.test(value) && Number.isSafeInteger(Number(value));
}

function refused(message: string): PlatformError {
  return new PlatformError('ARGUMENT_INVALID', message, { details: { at: 'body', path: '/value' } });
}
