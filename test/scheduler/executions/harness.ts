import { pino } from 'pino';
import {
  compileArtifact,
  connectRedis,
  DEFAULT_LIMITS,
  decodeReply,
  type LoadableVersion,
  type RedisAccess,
  type RunSpec,
  type StepType,
} from '#functions';
import type { Runtime } from '#runtime';
import { createExecutions } from '../../../scheduler/executions/create-executions.ts';
import type { ExecutionResults, Executions } from '../../../scheduler/executions/executions.ts';
import { createOptions } from '../../../scheduler/executions/options.ts';
import { createSchedulerKeys } from '../../../scheduler/keys.ts';
import { createStageQueue } from '../../../scheduler/queues/create-stage-queue.ts';
import type { ExecutionSettings } from '../../../scheduler/settings.ts';

export const keys = createSchedulerKeys('rg:');
const log = pino({ level: process.env.TEST_LOG ?? 'silent' });

const SETTINGS: ExecutionSettings = {
  max: 1_000,
  perRegistration: 100,
  idleMs: 5_000,
  keepMs: 60_000,
  resultBytes: 1024 * 1024,
  storedBytes: 16 * 1024 * 1024,
};

export interface TestNode extends AsyncDisposable {
  readonly executions: Executions;
  readonly access: RedisAccess;
}

/** A node that has nothing but executions. */
export async function startNode(
  url: string,
  openStage: Runtime['openStage'],
  settings: Partial<ExecutionSettings> = {},
): Promise<TestNode> {
  await using opening = new AsyncDisposableStack();
  const access = opening.use(await connectRedis({ url }));
  const fleet = { heartbeatMs: 100, heartbeatTimeoutMs: 600, convergeMs: 1_000 };
  const queue = opening.use(createStageQueue({ access, keys, settings: fleet, concurrency: 16, log }));
  const options = opening.use(createOptions({ access, keys, reserved: new Set(), presets: {}, log }));
  const self = { nodeId: 'test', slot: 0, consumer: 'n0', token: 't' };
  const executions = opening.use(
    createExecutions({
      ...{ access, keys, queue, openStage, options, log, concurrency: 16 },
      fleet: { self, isAlive: () => true },
      settings: { ...SETTINGS, ...settings },
    }),
  );
  const opened = opening.move();
  return { executions, access, [Symbol.asyncDispose]: () => opened.disposeAsync() };
}

export async function loadable(): Promise<LoadableVersion> {
  const source = 'GB().run()';
  const artifact = await compileArtifact({ source, language: 'js', sourceMap: null, fileName: 'x.js', maxBytes: 1e6 });
  return { functionName: 'test', version: 0, artifact, limits: DEFAULT_LIMITS, settings: {} };
}

export function runSpec(steps: readonly StepType[], rest: Partial<RunSpec> = {}): RunSpec {
  return {
    index: 0,
    reader: 'KeysReader',
    arg: '*',
    mode: 'async',
    noScan: false,
    readValue: true,
    count: 100,
    fromId: '0-0',
    untilId: '+',
    description: null,
    steps: steps.map((type) => ({ type, arg: null })),
    ...rest,
  };
}

/** Results of the fake runtime, which are JSON. */
export function valuesOf({ results }: Pick<ExecutionResults, 'results'>): unknown[] {
  return (decodeReply(results) as string[]).map((text) => JSON.parse(text) as unknown);
}
