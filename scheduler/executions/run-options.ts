import type { ExecutionSettings } from '../settings.ts';

/** Options of RedisGears that change how executions run; see `RG.CONFIGSET`. */
export const RUN_OPTIONS = {
  maxExecutions: 'MaxExecutions',
  perRegistration: 'MaxExecutionsPerRegistration',
  maxIdle: 'ExecutionMaxIdleTime',
  profile: 'ProfileExecutions',
} as const;

export interface RunOptions {
  /** 0 = no limit. */
  readonly maxExecutions: number;
  /** 0 = none are kept. */
  readonly perRegistration: number;
  readonly idleMs: number;
  readonly profile: boolean;
}

/** They are for people to look at, who do not look at more. */
export const MOST_PER_REGISTRATION = 10_000;

/** What is in force: what was set at run time, else the node's settings. */
export function runOptionsOf(set: ReadonlyMap<string, string>, settings: ExecutionSettings): RunOptions {
  const number = (name: string, preset: number): number => {
    const value = Number(set.get(name) ?? Number.NaN);
    return Number.isSafeInteger(value) ? value : preset;
  };
  return {
    maxExecutions: Math.max(0, number(RUN_OPTIONS.maxExecutions, settings.max)),
    perRegistration: Math.min(
      MOST_PER_REGISTRATION,
      Math.max(0, number(RUN_OPTIONS.perRegistration, settings.perRegistration)),
    ),
    idleMs: number(RUN_OPTIONS.maxIdle, settings.idleMs),
    profile: number(RUN_OPTIONS.profile, 0) !== 0,
  };
}
