import { DELIVERY_ROWS } from './delivery-rows.ts';
import { EXECUTION_ROWS } from './execution-rows.ts';
import { HTTP_ROWS } from './http-rows.ts';
import { LIMIT_ROWS } from './limit-rows.ts';
import { PLATFORM_ROWS } from './platform-rows.ts';
import type { Setting, SettingPath, SettingTable } from './setting.ts';
import { TRACE_ROWS } from './trace-rows.ts';

/** Every setting there is. Flags, environment, file, help, `regears config` and docs/configuration.md come from here. */
export const SETTINGS: SettingTable = {
  ...PLATFORM_ROWS,
  ...DELIVERY_ROWS,
  ...LIMIT_ROWS,
  ...EXECUTION_ROWS,
  ...HTTP_ROWS,
  ...TRACE_ROWS,
};

/** A row without the type of its value, for code that treats all rows alike. */
export type AnySetting = Setting<unknown>;

/** All rows with their paths, in the order in which they are shown. */
export function settingRows(): readonly (readonly [SettingPath, AnySetting])[] {
  return Object.entries(SETTINGS) as unknown as readonly (readonly [SettingPath, AnySetting])[];
}
