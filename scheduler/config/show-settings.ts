import type { Settings } from '../settings.ts';
import type { Machine } from './machine.ts';
import { thisMachine } from './machine.ts';
import type { Origin } from './resolve-settings.ts';
import type { SettingPath } from './setting.ts';
import { settingRows } from './table.ts';

/** A setting in force as it may be shown; what is secret in it is masked. */
export interface ShownSetting {
  readonly name: string;
  readonly value: unknown;
  /** As it is written in flags. */
  readonly shown: string;
  /** `program`: given by the program that started the node. */
  readonly origin: Origin['source'] | 'program';
  /** Name of the flag, variable or key that gave it; else the origin again. */
  readonly from: string;
  /** As it is written in flags, or in words where it depends on the machine. */
  readonly default: string;
  readonly description: string;
}

/** @param origins left out = a program has made the settings, and nobody knows how. */
export function showSettings(
  settings: Settings,
  origins?: Readonly<Record<SettingPath, Origin>>,
  machine: Machine = thisMachine(),
): readonly ShownSetting[] {
  return settingRows().map(([path, row]) => {
    const value = valueAt(settings, path);
    const shown = row.kind.show(value);
    const origin = origins?.[path];
    return {
      name: row.name,
      value: row.kind.name === 'url' ? shown : value,
      shown,
      origin: origin?.source ?? 'program',
      from:
        origin === undefined || origin.source === 'default'
          ? (origin?.source ?? 'program')
          : `${origin.source} ${origin.name}`,
      default: row.defaultText ?? row.kind.show(defaultOf(row.default, machine)),
      description: row.description,
    };
  });
}

function defaultOf(value: unknown, machine: Machine): unknown {
  return typeof value === 'function' ? (value as (machine: Machine) => unknown)(machine) : value;
}

function valueAt(settings: Settings, path: SettingPath): unknown {
  const [head = '', field] = path.split('.');
  const group = (settings as unknown as Record<string, unknown>)[head];
  return field === undefined ? group : (group as Record<string, unknown>)[field];
}
