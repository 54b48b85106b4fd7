import type { LoadableVersion } from '#functions';

/** What a version may read by name. Another object whenever anything in it has changed. */
export interface GuestVariables {
  readonly env: Readonly<Record<string, string>>;
  /** Those that the version asks for, and no others. */
  readonly secrets: Readonly<Record<string, string>>;
}

/** Where variables of functions come from: the platform's side. */
export interface VariablesSource {
  /**
   * Asked before each batch, so it has them at hand; null = there are none. Throws SECRET_MISSING or SECRET_UNREADABLE when the version
   * must not run: its entries are reported as interrupted.
   */
  of(target: LoadableVersion): GuestVariables | null;
  /** Takes every secret of this node out of a text. */
  redact(text: string): string;
}
