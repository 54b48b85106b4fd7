import type { Limits } from './limits.ts';

/** Which commands a version may send at all, within what every function may. */
export interface CommandRules {
  /** Lower-case names; null = no narrower than for every function. */
  readonly commands: readonly string[] | null;
  /** Glob patterns as in KEYS; null = any key that functions may touch. */
  readonly keys: readonly string[] | null;
}

/** What a source has said about itself with `configure({…})`, checked. */
export interface Configuration extends CommandRules {
  /** Only those that were given; never above the platform's own. */
  readonly limits: Partial<Limits>;
  /** What `configGet` answers where the platform has no setting of that name. */
  readonly settings: Readonly<Record<string, string>>;
  /** Names of secrets it asks for; left out = none. */
  readonly secrets?: readonly string[];
}

/** The platform's limits, lowered where the version asks for less. Limits lowered since it was uploaded hold as well. */
export function limitsWithin(platform: Limits, configuration: Pick<Configuration, 'limits'> | undefined): Limits {
  if (configuration === undefined) return platform;
  const lowered = Object.entries(configuration.limits).map(([name, value]) => {
    return [name, Math.min(value, platform[name as keyof Limits])] as const;
  });
  return { ...platform, ...Object.fromEntries(lowered) };
}

/** The narrowing of a version; null when there is none. */
export function rulesOf(configuration: CommandRules | undefined): CommandRules | null {
  if (configuration === undefined) return null;
  const { commands, keys } = configuration;
  return commands === null && keys === null ? null : { commands, keys };
}
