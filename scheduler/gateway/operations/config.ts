import { CONFIG_OPTIONS, type ConfigOption, type ConfigSettings, spelledAsInTable } from './config-options.ts';
import type { OperationDependencies } from './dependencies.ts';
import type { Operation, ReplyValue } from './operation.ts';
import { OK } from './records.ts';
import { arityError } from './syntax-error.ts';

const SAVED: ReplyValue = { simple: 'OK - value was saved in extra config dictionary' };

/** `RG.CONFIGGET`: one element per name. Names of RedisGears are matched exactly, as it did. */
export function createConfigGetOperation({ options, settings }: OperationDependencies): Operation {
  return {
    name: 'RG.CONFIGGET',
    summary: "Values of options: those of RedisGears that exist here, and the users' own.",
    syntax: ['RG.CONFIGGET <name> [<name> ...]'],
    permission: () => 'read',
    async run(names) {
      if (names.length === 0) throw arityError('rg.configget');
      const set = await options.read();
      return names.map((name) => shownValue(name, set, settings) ?? ownValue(name, options.forFunctions));
    },
  };
}

/** Null: not set for the fleet. */
function shownValue(name: string, set: ReadonlyMap<string, string>, settings: ConfigSettings): ReplyValue {
  const option = Object.hasOwn(CONFIG_OPTIONS, name) ? CONFIG_OPTIONS[name] : undefined;
  if (option?.kind === 'changeable') return Number(set.get(name) ?? option.preset(settings));
  if (option?.kind === 'fixed') return option.value(settings);
  if (option?.kind === 'absent') return doesNotApply(name, option.why);
  return set.get(name) ?? null;
}

/** What the node that was asked is configured with. */
function ownValue(name: string, own: Readonly<Record<string, string>>): ReplyValue {
  return Object.hasOwn(own, name) ? (own[name] ?? null) : { error: `(error) Unsupported config parameter: ${name}` };
}

/** `RG.CONFIGSET`: for the whole fleet, and kept; RedisGears changed one shard until its restart. */
export function createConfigSetOperation({ options }: OperationDependencies): Operation {
  const setOne = async (name: string, value: string | undefined): Promise<ReplyValue> => {
    const known = spelledAsInTable(name);
    const option = Object.hasOwn(CONFIG_OPTIONS, known) ? CONFIG_OPTIONS[known] : undefined;
    const refusal = refusalOf(option, name, value);
    if (refusal !== null || value === undefined) return refusal;
    await options.set(known, value);
    return option === undefined ? SAVED : OK;
  };
  return {
    name: 'RG.CONFIGSET',
    summary: 'Sets options for all nodes; configGet of functions sees those that RedisGears does not know.',
    syntax: ['RG.CONFIGSET <name> <value> [<name> <value> ...]'],
    permission: () => 'manage',
    async run(args) {
      if (args.length === 0) throw arityError('rg.configset');
      const replies: ReplyValue[] = [];
      for (let at = 0; at < args.length; at += 2) replies.push(await setOne(args[at] as string, args[at + 1]));
      return replies;
    },
  };
}

function refusalOf(option: ConfigOption | undefined, name: string, value: string | undefined): ReplyValue {
  if (option === undefined) return value === undefined ? { error: `(error) Value was not given to ${name}` } : null;
  if (option.kind === 'absent') return doesNotApply(name, option.why);
  if (option.kind === 'fixed') {
    return { error: `(error) Config value ${name} not modifiable at runtime (setting: ${option.setting})` };
  }
  const isValid = isWhole(value) && option.isValid(Number(value));
  return isValid ? null : { error: `(error) Failed setting config value ${name}` };
}

function isWhole(value: string | undefined): boolean {
  return value !== undefined && /^-?\d+$/.test(value) && Number.isSafeInteger(Number(value));
}

function doesNotApply(name: string, why: string): ReplyValue {
  return { error: `(error) ${name} does not apply: ${why}` };
}
