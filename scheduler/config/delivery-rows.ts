import { duration, integer } from './kinds.ts';
import type { Rows } from './setting.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** How entries are fetched, retried and handed over, and how nodes notice each other. */
export const DELIVERY_ROWS: Rows<'delivery' | 'fleet'> = {
  'delivery.readCount': {
    name: 'read-count',
    kind: integer({ min: 1, max: 100_000 }),
    default: 1000,
    description: 'Entries fetched by one read of a stream',
  },
  'delivery.readsInFlight': {
    name: 'reads-in-flight',
    kind: integer({ min: 1, max: 64 }),
    default: 2,
    description: 'Reads of one stream in work at once (mode async_local)',
  },
  'delivery.hotReaders': {
    name: 'hot-readers',
    kind: integer({ min: 1, max: 256 }),
    default: 8,
    description: 'Connections per Redis primary kept for streams that are busy',
  },
  'delivery.blockMs': {
    name: 'block',
    kind: duration({ min: 100, max: MINUTE }),
    default: 2 * SECOND,
    description: 'How long a blocking read waits for news',
  },
  'delivery.readMarginMs': {
    name: 'read-margin',
    kind: duration({ min: 100, max: MINUTE }),
    default: 3 * SECOND,
    description: 'A read that is later than this after its block time is given up and its connection rebuilt',
  },
  'delivery.scanIntervalMs': {
    name: 'scan-interval',
    kind: duration({ min: 100, max: HOUR }),
    default: 2 * SECOND,
    description: 'Period of the scan that finds streams whose news did not reach us',
  },
  'delivery.maxAttempts': {
    name: 'max-attempts',
    kind: integer({ min: 0, max: 1_000_000 }),
    default: 5,
    description: 'Attempts until a failing entry becomes a dead letter, where register() does not say; 0 = no cap',
  },
  'delivery.retryIntervalMs': {
    name: 'retry-interval',
    kind: duration({ min: 1, max: HOUR }),
    default: SECOND,
    description: 'First wait before a retry, where register() does not say; doubles with each attempt',
  },
  'delivery.retryCeilingMs': {
    name: 'retry-ceiling',
    kind: duration({ min: 1, max: DAY }),
    default: MINUTE,
    description: 'Longest wait before a retry',
  },
  'delivery.maxInFlight': {
    name: 'max-in-flight',
    kind: integer({ min: 1, max: 1_000_000 }),
    default: 10_000,
    description: 'Entries of one registration in work at once on one node, where register() does not say',
  },
  'delivery.renewAfterMs': {
    name: 'renew-after',
    kind: duration({ min: 100, max: HOUR }),
    default: 10 * SECOND,
    description: 'Claims on entries in slow work are renewed at this age',
  },
  'delivery.queueVisibilityMs': {
    name: 'queue-visibility',
    kind: duration({ min: SECOND, max: DAY }),
    default: MINUTE,
    description: 'Jobs of mode async that vanished from the queue are made again after this',
  },
  'delivery.drainMs': {
    name: 'drain-timeout',
    kind: duration({ min: 0, max: HOUR }),
    default: 10 * SECOND,
    description: 'Time for work in progress when the node is asked to stop',
  },
  'fleet.heartbeatMs': {
    name: 'heartbeat',
    kind: duration({ min: 20, max: MINUTE }),
    default: 500,
    description: 'Period of the sign of life of a node',
  },
  'fleet.heartbeatTimeoutMs': {
    name: 'heartbeat-timeout',
    kind: duration({ min: 100, max: HOUR }),
    default: 3 * SECOND,
    description:
      'Without a sign of life for this long a node is dead and the others take its work; longer than block and heartbeat together',
  },
  'fleet.convergeMs': {
    name: 'converge-timeout',
    kind: duration({ min: 0, max: 10 * MINUTE }),
    default: 5 * SECOND,
    description: 'How long commands that change functions wait for the other nodes',
  },
};
