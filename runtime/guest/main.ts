/**
 * The program inside an isolate: bundled into one script, evaluated before any user code, and driven by the sandbox process
 * through the returned functions. See turn.ts for the rule by which commands are attributed to entries.
 */

import type { SourcesSpec } from '../sandbox/messages.ts';
import { installAbsent } from './absent.ts';
import type { GuestApi, GuestConfig, RunFlags } from './api.ts';
import { createAtomic } from './atomic.ts';
import type { Entry } from './batch.ts';
import { createGearsBuilder } from './builder.ts';
import { noteCallSites } from './call-sites.ts';
import { structuredClone } from './clone.ts';
import { createCommandContext } from './command-context.ts';
import { type Configure, createConfigure } from './configure.ts';
import { createSources, installSources, type Sources, steerSources } from './determinism.ts';
import { installEncoding } from './encoding.ts';
import { createEngine } from './engine.ts';
import { isComplaint } from './errors.ts';
import { createExecutor } from './execute.ts';
import { createFutures } from './futures.ts';
import { createGearsFuture } from './gears-future.ts';
import { createHostFunctions } from './host.ts';
import { createConsole, createLog, createLogger, type Logger } from './log.ts';
import { createNestedRuns } from './nested-runs.ts';
import { createOutbox } from './outbox.ts';
import { createParser } from './parse.ts';
import {
  defineProperty,
  indexOf,
  mapSet,
  NativeMap,
  NativeSet,
  ownKeys,
  parseJson,
  setAdd,
  slice,
  toNumber,
} from './primordials.ts';
import { createRegistrations, type Registrations } from './registrations.ts';
import { createRunner } from './run.ts';
import { createRuns, type Runs } from './runs.ts';
import { createSessions } from './session.ts';
import { createSettle } from './settle.ts';
import { stageApi } from './stage-api.ts';
import { StageRunner } from './stage-runner.ts';
import { valueOfBytes } from './text.ts';
import { createTimeEvent } from './time-event.ts';
import { createTimers } from './timers.ts';
import { createTurn } from './turn.ts';
import { createVariables, type Variables } from './variables.ts';

const FLAG: RunFlags = { stream: 1, ordered: 2, wantResults: 4, ascii: 8, stopAtFailure: 16, keys: 64, hook: 128 };

function parsePositions(text: string): Set<number> {
  const positions = new NativeSet<number>();
  for (let at = 0; at < text.length; ) {
    const comma = indexOf(text, ',', at);
    setAdd(positions, toNumber(slice(text, at, comma)));
    at = comma + 1;
  }
  return positions;
}

function settingsOf(config: GuestConfig): Map<string, string> {
  const settings = new NativeMap<string, string>();
  const names = ownKeys(config.settings);
  for (let i = 0; i < names.length; i++) {
    const name = names[i] as string;
    mapSet(settings, name, config.settings[name] as string);
  }
  return settings;
}

/** Everything user code finds on the global object besides the language. */
function install(vocabulary: Readonly<Record<string, unknown>>, sources: Sources): void {
  const target = globalThis as unknown as Record<string, unknown>;
  const names = ownKeys(vocabulary);
  for (let i = 0; i < names.length; i++) {
    const name = names[i] as string;
    const value = vocabulary[name];
    defineProperty(target, name, { __proto__: null, value, writable: true, configurable: true } as never);
  }
  installSources(target, sources);
  installEncoding(target);
  installAbsent(target);
}

interface Parts {
  readonly registrations: Registrations;
  readonly runs: Runs;
  readonly stages: StageRunner;
  readonly configuration: Configure;
  readonly logger: Logger;
  readonly engine: ReturnType<typeof createEngine>;
  readonly sources: Sources;
  readonly variables: Variables;
}

function apiOf({ registrations, runs, stages, configuration, logger, engine, sources, variables }: Parts): GuestApi {
  return {
    report() {
      registrations.close();
      runs.close();
      configuration.close();
      const registered = `"registrations":[${registrations.json()}],"runs":[${runs.json()}]`;
      return `{${registered},"configuration":${configuration.json()},"logs":[${logger.takeLoose()}]}`;
    },
    isComplaint,
    registered() {
      configuration.close();
      registrations.announce(logger);
    },
    // Rest parameters are read by index: destructuring them would run user code through Array's iterator.
    run(...args) {
      const flags = args[2];
      return engine.run({
        id: args[0],
        plan: registrations.planOf(args[1]),
        adapt: registrations.adapterOf(args[1]),
        isStream: (flags & FLAG.stream) !== 0,
        isKeys: (flags & FLAG.keys) !== 0,
        isHook: (flags & FLAG.hook) !== 0,
        ordered: (flags & FLAG.ordered) !== 0,
        stopAtFailure: (flags & FLAG.stopAtFailure) !== 0,
        wantResults: (flags & FLAG.wantResults) !== 0,
        ascii: true,
        executionSize: args[3],
        entryCount: args[4],
        key: valueOfBytes(args[5]),
        hashtag: args[6],
        payload: args[7],
      });
    },
    replies: (...args) => engine.replies({ batch: args[0], round: args[1], text: args[2] }),
    session: (...args) => engine.session({ session: args[1], text: args[2] }),
    cancel: (batch, positions) => engine.cancel(batch, parsePositions(positions)),
    supply: (given) => variables.supply(given),
    steer: (spec) => steerSources(sources, parseJson(spec) as SourcesSpec),
    go: () => engine.go(),
    again: (rejection) => engine.again(rejection),
    ...stageApi({ runs, stages, engine }),
  };
}

/**
 * @param shared memory shared with the sandbox process, see `BlameField` and `OutboxFields`.
 * @param runDry runs the queue of microtasks until it is empty.
 */
export function start(shared: Uint32Array, runDry: () => void, configJson: string): GuestApi {
  const config = JSON.parse(configJson) as GuestConfig;
  const sources = createSources(config.sources);
  const turn = createTurn({ blame: shared, checkpoint: runDry, callMs: config.callMs });
  const settle = createSettle(config.outputBytes);
  const parser = createParser();
  const logger = createLogger({ turn, settle, limits: config });
  const warn = (message: string): void => logger.write('warning', message);
  const executor = createExecutor({ turn, settle, limits: config, warn });
  const sessions = createSessions({ executor, parser, turn, settle });
  const registrations = createRegistrations();
  const nested = createNestedRuns({ executor, sessions });
  const runs = createRuns(nested);
  const { outputBytes } = config;
  const settings = settingsOf(config);
  const configuration = createConfigure(settings);
  const variables = createVariables(turn);
  if (config.sources !== undefined) noteCallSites(executor, settle);
  const GearsBuilder = createGearsBuilder({ onRegister: registrations.add, onRun: runs.add, outputBytes });
  install(
    {
      GearsBuilder,
      GB: GearsBuilder,
      configure: configuration.configure,
      ...variables.vocabulary,
      ...createHostFunctions({ turn, executor, logger, settings }),
      ...createCommandContext({ executor, sessions, settle, outputBytes }),
      atomic: createAtomic(executor, sessions),
      ...createTimers({ executor, sessions, logger }),
      ...createFutures({ executor, sessions, outputBytes, random: () => sources.random() }),
      gearsFuture: createGearsFuture({ turn, executor }),
      registerTE: createTimeEvent(GearsBuilder),
      log: createLog(logger),
      console: createConsole(logger),
      structuredClone,
    },
    sources,
  );
  const awaitKey = (entry: Entry, key: string): Promise<unknown> =>
    sessions.ask(entry, executor.encodeFor(entry, ['KEY', key], 'key'));
  const runner = createRunner({ parser, turn, settle, awaitKey });
  const stages = new StageRunner({ parser, turn, settle, outputBytes });
  const hand = createOutbox(shared);
  const engine = createEngine({ parser, turn, settle, runner, stages, executor, sessions, logger, hand });
  return apiOf({ registrations, runs, stages, configuration, logger, engine, sources, variables });
}
