import { pino } from 'pino';
import {
  type ActiveRegistration,
  createKeyRing,
  DEFAULT_LIMITS,
  type LoadableVersion,
  PlatformError,
  type RegistrationSpec,
  type RegistrySnapshot,
} from '#functions';
import type { OperationDependencies } from '../../../../scheduler/gateway/operations/dependencies.ts';
import { createOperations } from '../../../../scheduler/gateway/operations/index.ts';
import type { ReplyValue } from '../../../../scheduler/gateway/operations/operation.ts';
import { errorReply } from '../../../../scheduler/gateway/resp/error-status.ts';

export const STREAM: RegistrationSpec = {
  index: 0,
  id: 'f/stream/s:*',
  reader: 'StreamReader',
  description: null,
  mode: 'sync',
  trigger: {
    kind: 'stream',
    prefix: 's:*',
    batch: 10,
    durationMs: 5,
    fromId: '0',
    trimStream: true,
    onFailedPolicy: 'retry',
    retryIntervalMs: 2_000,
    maxAttempts: 5,
    maxInFlight: 100,
    maxAgeMs: null,
  },
  steps: [],
  convertToStr: true,
  collect: true,
  hasOnRegistered: false,
};
export const COMMAND: RegistrationSpec = {
  ...STREAM,
  index: 1,
  id: 'f/command/t',
  reader: 'CommandReader',
  mode: 'async',
  trigger: { kind: 'command', trigger: 't', inorder: true },
};

const SHARD = {
  shardId: '0'.repeat(40),
  status: 'done',
  shardsReceived: 1,
  shardsCompleted: 1,
  results: 3,
  errors: ['no'],
  totalDurationMs: 12,
  readDurationMs: 5,
  steps: [
    { type: 'stringify', durationMs: 1, arg: '' },
    { type: 'map', durationMs: 2, arg: 'function age(r) {' },
  ],
  recordsRead: 9,
  recordsPerSecond: 750,
  percentRead: 100,
  stage: 1,
  stages: 1,
  attempts: 1,
};

const refusing = (code: string) => async (): Promise<never> => {
  throw new PlatformError(code, code);
};

export function active(spec: RegistrationSpec, state: ActiveRegistration['state'] = 'running'): ActiveRegistration {
  return { functionName: 'f', version: 3, spec, state, stateReason: null, routes: [] };
}

/** What is kept of executions of the stream registration. */
export const RUN = {
  ...{ id: `${STREAM.id}@1700000000000-0`, registrationId: STREAM.id, functionName: 'f', version: 3 },
  ...{ key: 's:1', node: 'n', startedAtMs: 0, durationMs: 20, executions: 2, entries: 10 },
  ...{ done: 8, filtered: 1, failed: 1, errors: ['Error: no'] },
};

/** Dependencies that note what they are asked. */
export function harness(late: readonly string[] = []) {
  const asked: unknown[][] = [];
  const note =
    <T>(name: string, answer: T) =>
    async (...args: unknown[]): Promise<T> => {
      asked.push([name, ...args]);
      return answer;
    };
  const record = { name: 'f', description: "it's", activeVersion: 3, latestVersion: 3, createdAtMs: 1, updatedAtMs: 2 };
  const version = { functionName: 'f', version: 3, sha256: 'abc', language: 'js', description: null, createdAtMs: 1 };
  const loaded = { name: 'f', version: 3, sha256: 'abc', registrationIds: ['f/stream/s:*'], revision: 7 };
  const snapshot: RegistrySnapshot = {
    revision: 7,
    functions: new Map([['f', record]]),
    registrations: new Map([
      [STREAM.id, active(STREAM, 'paused')],
      [COMMAND.id, active(COMMAND)],
    ]),
  };
  const letter = {
    id: 'L1',
    registrationId: STREAM.id,
    functionName: 'f',
    version: 3,
    stream: 's:1',
    entryId: '1-1',
    attempts: 5,
  };
  const dead = {
    ...letter,
    reason: 'attempts',
    errorCode: 'GUEST_ERROR',
    errorMessage: 'no',
    errorStack: 'at x',
    diedAtMs: 9,
  };
  const payload = '*2\r\n$1\r\nf\r\n$2\r\n\xc3\xbc\r\n';
  const dependencies = {
    registry: {
      load: note('load', loaded),
      list: note('list', [record]),
      versions: note('versions', [{ ...version, manifest: { registrations: [STREAM] } }]),
      get: note('get', { ...version, manifest: { registrations: [STREAM] }, artifact: { source: 'the source' } }),
      rollback: note('rollback', loaded),
      remove: note('remove', { revision: 8 }),
      unregister: async (id: string) => {
        if (id !== STREAM.id) throw new PlatformError('REGISTRATION_NOT_FOUND', 'no such registration');
        return { revision: 8 };
      },
      setState: note('setState', { revision: 9 }),
      abort: note('abort', { revision: 8 }),
      snapshot: () => snapshot,
    },
    fleet: {
      self: { nodeId: 'n1' },
      nodes: async () => [{ nodeId: 'n1', slot: 0, consumer: 'n0', host: 'h', pid: 1, startedAtMs: 1, revision: 6 }],
      isAlive: () => true,
      waitForRevision: async () => late,
    },
    journal: { stats: async () => new Map(), clearStats: note('clearStats', undefined), logs: note('logs', []) },
    deadLetters: {
      list: note('letters', [{ ...dead, payload }]),
      show: note('show', { ...dead, payload }),
      count: note('count', 4),
      redrive: note('redrive', { matched: 4, redriven: 3, lostToTrim: 1, tooLarge: 0, gone: 0, refused: [] }),
      discard: note('discard', 2),
    },
    keyRing: createKeyRing('', 'a test'),
    variables: { reasonAgainst: () => new PlatformError('SECRET_MISSING', 'f asks for KEY') },
    streams: { inspect: async () => [], waiting: () => 0 },
    calls: { has: () => true },
    access: {
      facts: {
        product: 'redis',
        version: '7.2.0',
        topology: 'single',
        evictionPolicy: 'allkeys-lru',
        aofEnabled: false,
        rdbEnabled: true,
        notifications: '',
        aclDryRun: true,
      },
      client: {
        time: async () => [Math.floor(Date.now() / 1000), 0],
        smembers: async () => [STREAM.id, 'gone/stream/s:1'],
        smembersBuffer: async () => [Buffer.from('s:1')],
        call: async (_name: string, what: string) =>
          what === 'GROUPS'
            ? [STREAM.id, 'gone/stream/s:1'].map((id) => [
                'name',
                id,
                'pending',
                2,
                'lag',
                5,
                'last-delivered-id',
                '1-1',
              ])
            : [['name', 'n0', 'pending', 2, 'idle', 120_000]],
      },
      shards: () => [],
    },
    keys: { prefix: 'rg:', registrationIndex: 'registrations', streams: (id: string) => `streams:${id}` },
    settings: {
      fleet: { convergeMs: 50 },
      limits: DEFAULT_LIMITS,
      caps: { artifactBytes: 1_000 },
      executions: { max: 7, idleMs: 30_000 },
      sandboxes: 2,
    },
    inspect: async (version: LoadableVersion) => {
      const runs = version.artifact.source.includes('run') ? [{ reader: 'KeysReader' }] : [];
      return { registrations: version.artifact.source.includes('only') ? [] : [STREAM], runs };
    },
    measurePool: async () => [
      {
        ...{ pid: 5, residentBytes: 100, role: 'shared' },
        versions: [
          {
            ...{ functionName: 'f', version: 3 },
            usage: { heapBytes: 70, externalBytes: 4, cpuMs: 2, batches: 3, entries: 8 },
          },
          { functionName: 'g', version: 1, usage: null },
        ],
      },
      { pid: 6, residentBytes: 50, role: 'spare', versions: [] },
    ],
    options: {
      forFunctions: {},
      read: async () =>
        new Map([
          ['ProfileExecutions', '1'],
          ['region', 'eu'],
        ]),
      set: note('set', undefined),
    },
    executions: {
      run: note('run', { results: '*1\r\n$1\r\na\r\n', errors: ['no'] }),
      start: note('start', 'id-1'),
      list: async () => [
        { id: 'id-1', status: 'done', functionName: 's', reader: 'KeysReader', createdAtMs: 1, recordsRead: 9 },
      ],
      view: note('view', { isClustered: false, shards: [SHARD] }),
      results: refusing('EXECUTION_RUNNING'),
      page: note('page', { cursor: '0-4', results: '*0\r\n', errors: [] }),
      waitForEnd: refusing('EXECUTION_NOT_FOUND'),
      drop: refusing('EXECUTION_RUNNING'),
      abort: refusing('EXECUTION_NOT_FOUND'),
    },
    registeredRuns: {
      list: async () => [RUN],
      find: async (id: string) => (id === RUN.id ? RUN : null),
      drop: async (id: string) => id === RUN.id,
    },
    log: pino({ level: 'silent' }),
  } as unknown as OperationDependencies;
  const table = createOperations(dependencies);
  const context = { user: 'ann', signal: new AbortController().signal };
  const run = async (name: string, ...args: string[]): Promise<ReplyValue> => {
    const operation = table.find(name);
    if (!operation) throw new Error(`no ${name}`);
    return operation.run(args, context);
  };
  const fail = async (name: string, ...args: string[]): Promise<string> => {
    const error = await run(name, ...args).then(
      () => new Error('it did not fail'),
      (reason: unknown) => reason,
    );
    return errorReply(error);
  };
  return { asked, run, fail, table };
}

export function fields(reply: ReplyValue): Record<string, ReplyValue> {
  const list = reply as readonly ReplyValue[];
  const pairs: [string, ReplyValue][] = [];
  for (let i = 0; i < list.length; i += 2) pairs.push([String(list[i]), list[i + 1] as ReplyValue]);
  return Object.fromEntries(pairs);
}
