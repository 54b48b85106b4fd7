import type { ExecutionSettings } from '../settings.ts';

/** Options of RedisGears that change how executions run; see `RG.CONFIGSET`. */
export const RUN_OPTIONS = {
  maxExecutions: 'MaxExecutions',
  maxIdle: 'ExecutionMaxIdleTime',
  profile: 'ProfileExecutions',
} as const;

export interface RunOptions {
  /** 0 = no limit. */
  readonly maxExecutions: number;
  readonly idleMs: number;
  readonly profile: boolean;
}

/** What is in force: what was set at run time, else the node's settings. */
export function runOptionsOf(set: ReadonlyMap<string, string>, settings: ExecutionSettings): RunOptions {
  const number = (name: string, preset: number): number => {
    const value = Number(set.get(name) ?? Number.NaN);
    return Number.isSafeInteger(value) ? value : preset;
  };
  return {
    maxExecutions: Math.max(0, number(RUN_OPTIONS.maxExecutions, settings.max)),
    idleMs: number(RUN_OPTIONS.maxIdle, settings.idleMs),
    profile: number(RUN_OPTIONS.profile, 0) !== 0,
  };
}
