/** Public names of the `scheduler` layer, and of the package: a node as a library. */
export { loadSettings, type Origin, type ResolvedSettings, resolveSettings, type SettingSources } from './config.ts';
export type { SchedulerErrorCode } from './errors.ts';
export { createLog, type Log, type LogFields, type LogOptions } from './log.ts';
export { type Platform, startPlatform } from './platform.ts';
export type { Settings } from './settings.ts';
