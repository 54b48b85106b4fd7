import { bytes, duration, integer } from './kinds.ts';
import type { Rows } from './setting.ts';

const MB = 1024 * 1024;
const GB = 1024 * MB;
const SECOND = 1000;
const HOUR = 3600 * SECOND;
const DAY = 24 * HOUR;

/** Batch runs. */
export const EXECUTION_ROWS: Rows<'executions'> = {
  'executions.max': {
    name: 'max-executions',
    kind: integer({ min: 0, max: 1_000_000 }),
    default: 1_000,
    description: 'Batch executions kept, the oldest are forgotten first; 0 = no limit',
  },
  'executions.perRegistration': {
    name: 'max-executions-per-registration',
    kind: integer({ min: 0, max: 10_000 }),
    default: 100,
    description: 'Ended executions of one registration kept for RG.DUMPEXECUTIONS, the oldest go first; 0 = none',
  },
  'executions.idleMs': {
    name: 'execution-idle',
    kind: duration({ min: SECOND, max: DAY }),
    default: 30 * SECOND,
    description: 'A running batch execution on which no node works for so long is aborted',
  },
  'executions.keepMs': {
    name: 'execution-keep',
    kind: duration({ min: SECOND, max: 30 * DAY }),
    default: HOUR,
    description: 'How long ended batch executions and their results are kept',
  },
  'executions.resultBytes': {
    name: 'execution-results',
    kind: bytes({ min: 1024, max: GB }),
    default: 64 * MB,
    description: 'Largest results of a batch execution given in one reply',
  },
  'executions.storedBytes': {
    name: 'execution-stored',
    kind: bytes({ min: 1024, max: 1024 * GB }),
    default: GB,
    description: 'Most that one stage of a batch execution may put into Redis: results, or records for other shards',
  },
};
