import { MOST_PER_REGISTRATION } from '../../executions/run-options.ts';
import type { OperationDependencies } from './dependencies.ts';
import type { ReplyValue } from './operation.ts';

/** An option of RedisGears and what has become of it. */
export type ConfigOption =
  /** Has a counterpart here that can be changed at run time, for the whole fleet. */
  | {
      readonly kind: 'changeable';
      readonly isValid: (value: number) => boolean;
      preset(settings: ConfigSettings): number;
    }
  /** Has a counterpart that is fixed while a node runs. */
  | { readonly kind: 'fixed'; value(settings: ConfigSettings): ReplyValue; readonly setting: string }
  /** Has none; `why` is shown to whoever asks. */
  | { readonly kind: 'absent'; readonly why: string };

export type ConfigSettings = OperationDependencies['settings'];

const PYTHON: ConfigOption = { kind: 'absent', why: 'functions are JavaScript, which comes with the platform' };
const REQUIREMENTS: ConfigOption = { kind: 'absent', why: 'requirements are bundled when a function is deployed' };

/** The table of RedisGears 1.2; every other name is the users' own. */
export const CONFIG_OPTIONS: Readonly<Record<string, ConfigOption>> = {
  MaxExecutions: {
    kind: 'changeable',
    isValid: () => true,
    preset: ({ executions }) => executions.max,
  },
  MaxExecutionsPerRegistration: {
    kind: 'changeable',
    isValid: (value) => value >= 0 && value <= MOST_PER_REGISTRATION,
    preset: ({ executions }) => executions.perRegistration,
  },
  ProfileExecutions: { kind: 'changeable', isValid: () => true, preset: () => 0 },
  ExecutionThreads: { kind: 'fixed', value: ({ sandboxes }) => sandboxes, setting: 'sandboxes' },
  ExecutionMaxIdleTime: {
    kind: 'changeable',
    isValid: (value) => value > 0,
    preset: ({ executions }) => executions.idleMs,
  },
  SendMsgRetries: { kind: 'absent', why: 'nodes send each other no messages; what they share goes through Redis' },
  Plugin: { kind: 'fixed', value: () => ['js'], setting: 'none, the language is built in' },
  PythonAttemptTraceback: { kind: 'absent', why: 'errors always carry their stack' },
  OverridePythonAllocators: PYTHON,
  PythonInstallReqMaxIdleTime: REQUIREMENTS,
  CreateVenv: REQUIREMENTS,
  DownloadDeps: REQUIREMENTS,
  ForeceDownloadDepsOnEnterprise: REQUIREMENTS,
  DependenciesUrl: REQUIREMENTS,
  DependenciesSha256: REQUIREMENTS,
  PythonInstallationDir: PYTHON,
};

/** Names that are not the users' own. */
export const RESERVED_OPTIONS: ReadonlySet<string> = new Set(Object.keys(CONFIG_OPTIONS));

/** Name as the table spells it, whatever the case; the name itself when it is not in the table. */
export function spelledAsInTable(name: string): string {
  const lower = name.toLowerCase();
  return Object.keys(CONFIG_OPTIONS).find((known) => known.toLowerCase() === lower) ?? name;
}
