import { DEFAULT_LIMITS } from '#functions';
import { bytes, choice, duration, integer, list } from './kinds.ts';
import type { Rows } from './setting.ts';

const MB = 1024 * 1024;
const GB = 1024 * MB;
const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const USERS = list('user names separated by commas, * for everybody');

/** What functions, sandbox processes, clients and stored things may use up. */
export const LIMIT_ROWS: Rows<'limits' | 'sandbox' | 'door' | 'caps'> = {
  'limits.memoryBytes': {
    name: 'limit-memory',
    kind: bytes({ min: 8 * MB, max: 16 * GB }),
    default: DEFAULT_LIMITS.memoryBytes,
    description: 'Memory of one function version',
  },
  'limits.callMs': {
    name: 'limit-call-ms',
    kind: duration({ min: 1, max: HOUR }),
    default: DEFAULT_LIMITS.callMs,
    description: 'Longest stretch of function code without waiting for anything',
  },
  'limits.executionMs': {
    name: 'limit-execution-ms',
    kind: duration({ min: 1, max: DAY }),
    default: DEFAULT_LIMITS.executionMs,
    description: 'Longest execution, waiting included',
  },
  'limits.outputBytes': {
    name: 'limit-output',
    kind: bytes({ min: 1024, max: GB }),
    default: DEFAULT_LIMITS.outputBytes,
    description: 'Results, log lines and error texts of one execution',
  },
  'limits.commandsPerEvent': {
    name: 'limit-commands',
    kind: integer({ min: 1, max: 10_000_000 }),
    default: DEFAULT_LIMITS.commandsPerEvent,
    description: 'Redis commands one event may send',
  },
  'limits.commandBytes': {
    name: 'limit-command-bytes',
    kind: bytes({ min: 1024, max: GB }),
    default: DEFAULT_LIMITS.commandBytes,
    description: 'Size of all commands of one event together',
  },
  'limits.concurrency': {
    name: 'limit-concurrency',
    kind: integer({ min: 1, max: 1_000_000 }),
    default: DEFAULT_LIMITS.concurrency,
    description: 'Executions of one version at once on one node',
  },
  'sandbox.residentBytes': {
    name: 'sandbox-memory',
    kind: bytes({ min: 128 * MB, max: 64 * GB }),
    default: GB,
    description: 'Memory of one sandbox process; it is killed and replaced beyond',
  },
  'sandbox.graceMs': {
    name: 'sandbox-grace',
    kind: duration({ min: 10, max: MINUTE }),
    default: 500,
    description: 'How long after a broken time limit a sandbox process may still answer before it is killed',
  },
  'sandbox.quarantineAfterCrashes': {
    name: 'quarantine-after-crashes',
    kind: integer({ min: 1, max: 1000 }),
    default: 3,
    description: 'Crashes until a function version has to run in a process of its own',
  },
  'sandbox.idleMs': {
    name: 'sandbox-idle',
    kind: duration({ min: SECOND, max: DAY }),
    default: 10 * MINUTE,
    description: 'Versions that did not run for this long are unloaded',
  },
  'sandbox.isolatesPerProcess': {
    name: 'sandbox-isolates',
    kind: integer({ min: 1, max: 10_000 }),
    default: 256,
    description: 'Most versions loaded in one sandbox process',
  },
  'sandbox.waits': {
    name: 'sandbox-waits',
    kind: integer({ min: 1, max: 1_000_000 }),
    default: 10_000,
    description: 'Timers, futures and runs that events of one version may wait for at once, on one node',
  },
  'sandbox.secrets': {
    name: 'sandbox-secrets',
    kind: choice(['own', 'shared']),
    default: 'own',
    description:
      'Whether versions that ask for secrets run in sandbox processes of their own, or share them with other functions',
  },
  'door.maxConnections': {
    name: 'max-connections',
    kind: integer({ min: 1, max: 1_000_000 }),
    default: 20_000,
    description: 'Clients of the RESP door at once',
  },
  'door.maxBulkBytes': {
    name: 'max-bulk',
    kind: bytes({ min: MB, max: 512 * MB }),
    default: 512 * MB,
    description: 'Largest single argument a client may send',
  },
  'door.maxArguments': {
    name: 'max-arguments',
    kind: integer({ min: 1024, max: 1_048_576 }),
    default: 1_048_576,
    description: 'Most arguments of one command',
  },
  'door.maxOutputBytes': {
    name: 'max-output',
    kind: bytes({ min: MB, max: 16 * GB }),
    default: 64 * MB,
    description: 'Most bytes that may wait for a client that does not read its replies',
  },
  'door.invokeUsers': {
    name: 'invoke-users',
    kind: USERS,
    default: ['*'],
    description: 'Users who may run functions, where the server has no ACL DRYRUN',
  },
  'door.manageUsers': {
    name: 'manage-users',
    kind: USERS,
    default: ['default'],
    description: 'Users who may load, change and remove functions, where the server has no ACL DRYRUN',
  },
  'caps.deadLetters': {
    name: 'cap-dead-letters',
    kind: integer({ min: 1, max: 100_000_000 }),
    default: 10_000,
    description: 'Dead letters kept per registration',
  },
  'caps.logLines': {
    name: 'cap-log-lines',
    kind: integer({ min: 1, max: 10_000_000 }),
    default: 1000,
    description: 'Log lines kept per function',
  },
  'caps.artifactBytes': {
    name: 'cap-artifact',
    kind: bytes({ min: 1024, max: 256 * MB }),
    default: 8 * MB,
    description: 'Largest function source',
  },
  'caps.versions': {
    name: 'cap-versions',
    kind: integer({ min: 2, max: 100_000 }),
    default: 100,
    description: 'Versions kept per function',
  },
};
