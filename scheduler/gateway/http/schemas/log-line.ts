import { type Static, Type } from 'typebox';
import type { FunctionLogLine } from '../../../journal/journal.ts';
import { AtMs, shape, words } from './parts.ts';

/** Least important first. */
export const LEVELS = ['debug', 'verbose', 'notice', 'warning'] as const;
export type Level = (typeof LEVELS)[number];

export const LogLineShape = shape(
  {
    id: Type.String(),
    atMs: AtMs,
    functionName: Type.String(),
    version: Type.Integer(),
    level: words(LEVELS),
    message: Type.String(),
  },
  'LogLine',
);
export type LogLineJson = Static<typeof LogLineShape>;

export function logLineJson({ id, functionName, version, level, message }: FunctionLogLine): LogLineJson {
  const known = LEVELS.find((each) => each === level) ?? 'notice';
  return { id, atMs: Number(id.split('-', 1)[0]), functionName, version, level: known, message };
}

/** True for lines at least as important. */
export function isAtLeast(line: LogLineJson, level: Level | undefined): boolean {
  return level === undefined || LEVELS.indexOf(line.level) >= LEVELS.indexOf(level);
}
