/**
 * Configuration: one typed table of settings (`config/table.ts`), read from flags, `REGEARS_*` environment and
 * `regears.config.json`, in that order of precedence. This file alone reads the environment and the file.
 */
import { existsSync, readFileSync } from 'node:fs';
import { PlatformError } from '#functions';
import { type ResolvedSettings, resolveSettings } from './config/resolve-settings.ts';
import type { SchedulerErrorCode } from './errors.ts';

export { nearest } from './config/nearest.ts';
export { type Origin, type ResolvedSettings, resolveSettings, type SettingSources } from './config/resolve-settings.ts';
export { flagOf, keyInFile, type SettingPath, variableOf } from './config/setting.ts';
export { type ShownSetting, showSettings } from './config/show-settings.ts';
export { type AnySetting, SETTINGS, settingRows } from './config/table.ts';

/** Name of the file that is read from the working directory when no other is named. */
export const DEFAULT_CONFIG_FILE = 'regears.config.json';

/**
 * Settings of this process. `flags` by dashed name; `configFile` (flag `--config`, variable `REGEARS_CONFIG`) names the
 * file, else `regears.config.json` in the working directory is read if it is there. Throws CONFIG_INVALID.
 */
export function loadSettings(flags: Readonly<Record<string, unknown>>, configFile?: string): ResolvedSettings {
  const { env } = process;
  return resolveSettings({ flags, env, file: readConfigFile(configFile ?? env.REGEARS_CONFIG) });
}

/** Keys that seal secrets of functions, where they are in the environment. No flag gives them: others could read it. */
export function secretKeys(): string | undefined {
  return process.env.REGEARS_SECRETS_KEY;
}

/** Address of the RESP door that remote commands talk to: `REGEARS_URL`, else the default port on this machine. */
export function doorUrl(): string {
  const { REGEARS_URL: url } = process.env;
  return url === undefined || url === '' ? 'redis://127.0.0.1:6380' : url;
}

function readConfigFile(named: string | undefined): Readonly<Record<string, unknown>> {
  const path = named ?? DEFAULT_CONFIG_FILE;
  if (named === undefined && !existsSync(path)) return {};
  const content = parseFile(path);
  if (typeof content !== 'object' || content === null || Array.isArray(content)) {
    throw new PlatformError<SchedulerErrorCode>('CONFIG_INVALID', `${path} must hold one JSON object of settings`);
  }
  return content as Readonly<Record<string, unknown>>;
}

function parseFile(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    const known: Readonly<Record<string, string>> = {
      ENOENT: 'there is no such file',
      EISDIR: 'it is a directory',
      EACCES: 'this user has no right to read it',
    };
    const why = code === undefined ? `it is no JSON: ${message}` : (known[code] ?? message);
    const text = `the file of settings ${path} (--config or REGEARS_CONFIG) cannot be read: ${why}`;
    throw new PlatformError<SchedulerErrorCode>('CONFIG_INVALID', text, { cause });
  }
}
