import type { Settings } from '../settings.ts';
import type { Kind } from './kinds.ts';
import type { Machine } from './machine.ts';

/** Value types that end a path; every other object in Settings is a group. */
type Leaf = string | number | null | readonly string[] | Readonly<Record<string, string>>;

/** Dotted path of every single setting in `Settings`, such as `respPort` or `delivery.readCount`. */
export type SettingPath = {
  [Key in keyof Settings]: Settings[Key] extends Leaf ? Key : `${Key}.${keyof Settings[Key] & string}`;
}[keyof Settings];

/** Type of the value at a path. */
export type ValueAt<Path extends SettingPath> = Path extends keyof Settings
  ? Settings[Path]
  : Path extends `${infer Group extends keyof Settings}.${infer Field}`
    ? Settings[Group][Field & keyof Settings[Group]]
    : never;

/** One setting: its name, what it takes, what it is when nobody says, and one line for people. */
export interface Setting<Value> {
  /** Dashed name: the flag is `--<name>`, the variable `REGEARS_<NAME>`, the key in the file its camelCase. */
  readonly name: string;
  readonly kind: Kind<Value>;
  readonly default: Value | ((machine: Machine) => Value);
  /** Key in the file where it is not the camelCase of the name. */
  readonly fileKey?: string;
  /** True: the flag may be repeated; values are joined with commas. */
  readonly repeatable?: boolean;
  /** What the default is called in help and documents when it depends on the machine. */
  readonly defaultText?: string;
  readonly description: string;
  /** Variables of a standard that are looked at where nothing of ours gives a value, the first one first. */
  readonly standard?: readonly StandardVariable[];
}

/** A variable that other programs know, too. */
export interface StandardVariable {
  readonly name: string;
  /** What it means as a raw value of the setting; undefined = nothing. */
  read(value: string, env: Readonly<Record<string, string | undefined>>): string | undefined;
}

/** The whole table: complete by its type, so a field of Settings without a row does not compile. */
export type SettingTable = { readonly [Path in SettingPath]: Setting<ValueAt<Path>> };

/** The rows of some groups of Settings; `top` = those that stand in no group. */
export type Rows<Group extends string> = {
  readonly [Path in SettingPath as Path extends `${infer Head}.${string}`
    ? Head extends Group
      ? Path
      : never
    : 'top' extends Group
      ? Path
      : never]: Setting<ValueAt<Path>>;
};

/** Flag of a setting: `--resp-port`. */
export function flagOf(name: string): string {
  return `--${name}`;
}

/** Environment variable of a setting: `REGEARS_RESP_PORT`. */
export function variableOf(name: string): string {
  return `REGEARS_${name.replaceAll('-', '_').toUpperCase()}`;
}

/** Key of a setting in the file. */
export function keyInFile({ name, fileKey }: { readonly name: string; readonly fileKey?: string }): string {
  return fileKey ?? fileKeyOf(name);
}

/** A name as a key: `respPort`. */
export function fileKeyOf(name: string): string {
  return name.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
