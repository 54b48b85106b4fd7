import type { CommandRules } from '../model/configuration.ts';
import type { Limits } from '../model/limits.ts';

export type SourceLanguage = 'js' | 'ts';

/** One immutable, content-addressed version of a function's source. */
export interface Artifact {
  /** Lower-case hex SHA-256 over language and source; the same text is the same artifact everywhere. */
  readonly sha256: string;
  readonly language: SourceLanguage;
  /** What the user uploaded, unchanged. */
  readonly source: string;
  /** One classic script that the isolate evaluates: types stripped, module syntax folded away. */
  readonly code: string;
  /** Source map v3 (JSON text) from `code` to the user's files; null when `code` is the source. */
  readonly sourceMap: string | null;
}

/** A version as the runtime needs it: which code, under which name, within which limits. */
export interface LoadableVersion {
  readonly functionName: string;
  /** From 1. 0: a source that is only inspected, or a script that runs once and leaves nothing behind. */
  readonly version: number;
  readonly artifact: Artifact;
  readonly limits: Limits;
  /** What `configGet`/`gearsConfigGet` answer. */
  readonly settings: Readonly<Record<string, string>>;
  /** Commands and keys the version keeps to; left out or null = no narrower than every function. */
  readonly rules?: CommandRules | null;
  /** Names of secrets it asks for; it gets those and no others. Left out = none. */
  readonly secrets?: readonly string[];
}
