import type { DoorClient } from './client.ts';
import type { ExitCode } from './exit-code.ts';
import type { Output } from './render.ts';

/** Kinds of names that a shell can complete: files by itself, the others by asking the door. */
export type Completes =
  | 'file'
  | 'folder'
  | 'function'
  | 'version'
  | 'registration'
  | 'stream'
  | 'execution'
  | 'trigger'
  | 'token'
  | 'letter';

/** A positional argument: `<name>` required, `[name]` optional, `…...` any number. */
export interface ArgumentSpec {
  readonly syntax: string;
  readonly description: string;
  readonly choices?: readonly string[];
  /** What completion offers, besides choices. */
  readonly completes?: Completes;
}

/** An option that is not a setting of the platform. */
export interface OptionSpec {
  /** As commander takes it: `-f, --follow`, `--count <n>`, `--no-activate`. */
  readonly flags: string;
  readonly description: string;
  readonly choices?: readonly string[];
  /** What completion offers for its value, besides choices. */
  readonly completes?: Completes;
  /** Shown in help; `run` applies it. */
  readonly defaultText?: string;
  /** Whole number in this range; anything else is a usage error. */
  readonly range?: { readonly min: number; readonly max: number };
}

/** One command as data: help, parsing, docs/cli.md and running come from here. */
export interface Command {
  /**
   * `remote`: talks to a RESP door, takes `--url`. `settings`: takes every setting of the platform as a flag. `local`: neither.
   */
  readonly kind: 'remote' | 'settings' | 'local';
  /** What it does beyond the summary; may be several sentences. */
  readonly description?: string;
  readonly arguments?: readonly ArgumentSpec[];
  readonly options?: readonly OptionSpec[];
  /** Command lines without the leading `regears`. */
  readonly examples: readonly string[];
  /** Does it; returns an exit code when it is not 0. Throws PlatformError for everything that goes wrong. */
  run(input: CommandInput): Promise<ExitCode | undefined>;
}

/** What a command gets. */
export interface CommandInput {
  /** Positional arguments, variadic ones in place. */
  readonly args: readonly string[];
  readonly options: OptionValues;
  /** Settings given as flags, by dashed name; raw text. */
  readonly settingFlags: Readonly<Record<string, string>>;
  readonly output: Output;
  /** Connects on first use; closed after the command. */
  door(): Promise<DoorClient>;
  /** A further connection, which the caller closes. */
  newDoor(): Promise<DoorClient>;
  /** What is to be done when nobody reads the output any more; the process ends behind it, or after some seconds. */
  beforeLeaving(work: () => Promise<void>): Disposable;
}

/** Values of options by their long name without dashes, such as `dry-run`. */
export interface OptionValues {
  text(name: string): string | undefined;
  number(name: string): number | undefined;
  /** Of an option with several values, `--x <value...>`; none when it was not given. */
  list(name: string): readonly string[];
  /** For `--no-x` ask for `x`: true unless it was given. */
  flag(name: string): boolean;
}

/** Where a command stands in the tree: `dlq list` is the command `list` in the group `dlq`. */
export interface CommandEntry {
  readonly name: string;
  readonly summary: string;
  /** Heading in the help of `regears`. */
  readonly heading: 'Platform' | 'Functions' | 'Events' | 'Operating';
  /** True: not for people, and in no list. Default false. */
  readonly isHidden?: boolean;
  load(): Promise<Command>;
}
