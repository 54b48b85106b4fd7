import { decodeReply, type LoadableVersion, type RedisAccess, type RegistrationState } from '#functions';
import type { EndCounts } from '../delivery.ts';
import type { Permits } from '../fleet/fleet.ts';
import type { SchedulerKeys } from '../keys.ts';
import type { DeliverySettings } from '../settings.ts';
import { createAdmission } from './admission.ts';
import { type AsyncBridge, createAsyncBridge } from './async-bridge.ts';
import type { ClaimedBatch } from './batch.ts';
import { type Claimer, createClaimer } from './claimer.ts';
import type { ConsumerLog, Count, Execute, LeaseTable, NodeIdentity, QueuedEntries } from './contracts.ts';
import { createDispatcher, type Dispatcher } from './dispatcher.ts';
import { createFailures, type Failures } from './failures.ts';
import { createGroups, type Groups } from './group.ts';
import { doubt, type Lane, modeOf, setParked } from './lane.ts';
import { createLanes, type Lanes } from './lanes.ts';
import { createLaneReader, type LaneReader } from './reader.ts';
import { createRecovery, type Recovery } from './recovery.ts';
import { createRedisCalls, type RedisCalls } from './redis-calls.ts';
import type { ConsumedRegistration } from './registration.ts';
import { createRetries, type Retries } from './retries.ts';
import { createRunner, type Runner } from './runner.ts';
import { createSettler, type Settler } from './settler.ts';
import { createTokenBucket } from './token-bucket.ts';
import { createTrimmer, type Trimmer } from './trimmer.ts';

export interface ConsumerOptions {
  readonly access: RedisAccess;
  readonly node: NodeIdentity;
  readonly leases: LeaseTable;
  readonly permits: Permits;
  readonly keys: SchedulerKeys;
  readonly settings: DeliverySettings;
  readonly deadLetterCap: number;
  readonly execute: Execute;
  readonly loadable: (name: string, version: number) => Promise<LoadableVersion>;
  readonly setState: (ids: readonly string[], state: RegistrationState, reason: string | null) => Promise<void>;
  readonly addJobs: (jobs: readonly QueuedEntries[]) => Promise<void>;
  readonly count: Count;
  /** Entries of a registration have ended. */
  readonly onSettled?: (registrationId: string, ends: EndCounts) => void;
  /** Says that nothing is pending under a dead consumer's name any more. */
  readonly forget: (consumer: string) => Promise<void>;
  readonly log: ConsumerLog;
}

/** Redis ends a wait up to a tenth of a second late. */
const LATE_MS = 250;

/** The parts of a consumer, wired. */
export interface ConsumerParts extends AsyncDisposable {
  readonly calls: RedisCalls;
  readonly settler: Settler;
  readonly retries: Retries;
  readonly failures: Failures;
  readonly dispatcher: Dispatcher;
  readonly reader: LaneReader;
  readonly groups: Groups;
  readonly recovery: Recovery;
  readonly lanes: Lanes;
  /** Lanes of which something may be pending that nobody here knows of. */
  readonly doubted: Set<Lane>;
  readonly bridge: AsyncBridge;
  readonly trimmer: Trimmer;
  readonly signal: AbortSignal;
}

/** @param onHalt a registration has stopped itself: nothing of it may be taken up from now on. */
export function createParts(
  options: ConsumerOptions,
  onHalt: (registration: ConsumedRegistration) => void,
): ConsumerParts {
  const { access, keys, log } = options;
  const closing = new AbortController();
  const pipe = access.openPipe('regears-consumer');
  const calls = createRedisCalls(pipe);
  const trimmer = createTrimmer({ calls, log });
  const { signal } = closing;
  const running = createRunningParts({ ...options, calls, trimmer, signal, onHalt, onEvents: events() });
  const reading = createReadingParts({ ...options, ...running, calls, signal: closing.signal, reopen });
  const groups = createGroups({ calls, keys });
  const lanes: Lanes = createLanes({ ...options, ...reading, groups, signal: closing.signal });

  function reopen(lane: Lane): void {
    if (lane.state === 'ready' && !closing.signal.aborted) lanes.open(lane);
  }

  /** What the running half tells the reading half. */
  function events(): RunningEvents {
    return {
      enqueue: (lane, ids) => reading.bridge.enqueue(lane, ids),
      onForgotten(lane) {
        doubt(lane, 0);
        reopen(lane);
      },
      onOver(lane) {
        reading.reader.nudge(lane);
        reading.reader.kick(lane.registration);
      },
      onLeaseLost(lane) {
        log.warn({ registration: lane.registration.id, stream: lane.stream }, 'another node reads the stream now');
        lane.holdsLease = false;
        running.dispatcher.dropLane(lane);
        reopen(lane);
      },
    };
  }

  return {
    ...{ calls, groups, lanes, trimmer, signal: closing.signal },
    doubted: new Set(),
    ...running,
    ...reading,
    async [Symbol.asyncDispose]() {
      closing.abort();
      for (const part of [running.settler, running.retries, running.dispatcher, trimmer]) part.close();
      await calls[Symbol.asyncDispose]();
      await reading.reader[Symbol.asyncDispose]();
      await pipe[Symbol.asyncDispose]();
    },
  };
}

interface RunningEvents {
  readonly enqueue: (lane: Lane, ids: readonly string[]) => void;
  readonly onForgotten: (lane: Lane) => void;
  readonly onOver: (lane: Lane) => void;
  readonly onLeaseLost: (lane: Lane) => void;
}

interface RunningOptions extends ConsumerOptions {
  readonly calls: RedisCalls;
  readonly trimmer: Trimmer;
  readonly signal: AbortSignal;
  readonly onHalt: (registration: ConsumedRegistration) => void;
  readonly onEvents: RunningEvents;
}

interface RunningParts {
  readonly settler: Settler;
  readonly claimer: Claimer;
  readonly retries: Retries;
  readonly failures: Failures;
  readonly dispatcher: Dispatcher;
}

/** From entries in hand to their ends. */
function createRunningParts(options: RunningOptions): RunningParts {
  const { onEvents } = options;
  const settler = createSettler({
    ...options,
    onSettled(lane, ends) {
      options.trimmer.onSettled(lane);
      options.onSettled?.(lane.registration.id, ends);
    },
  });
  const claimer = createClaimer(options);
  const retries = createRetries((due) => dispatcher.onDue(due));
  const failures = createFailures({ ...options, retries });
  const runner: Runner = createRunner({
    ...options,
    ...{ settler, failures },
    again: (request, pieces) => dispatcher.again(request, pieces),
    onForgotten: onEvents.onForgotten,
    onLeaseLost: onEvents.onLeaseLost,
    onOver(lane) {
      if (modeOf(lane) === 'sync') {
        if (lane.waiting.size > 0) setParked(lane, true);
        dispatcher.pump(lane);
      }
      onEvents.onOver(lane);
    },
  });
  const run = async (...call: Parameters<RedisCalls['script']>): Promise<unknown> =>
    decodeReply(await options.calls.script(...call));
  const admission = createAdmission({ ...options, takeTokens: createTokenBucket({ ...options, run }) });
  const dispatcher: Dispatcher = createDispatcher({
    ...options,
    ...{ settler, claimer, runner, retries, admission },
    enqueue: onEvents.enqueue,
    onEnded: onEvents.onOver,
  });
  return { settler, claimer, retries, failures, dispatcher };
}

interface ReadingOptions extends ConsumerOptions, RunningParts {
  readonly calls: RedisCalls;
  readonly signal: AbortSignal;
  readonly reopen: (lane: Lane) => void;
}

interface ReadingParts {
  readonly reader: LaneReader;
  readonly bridge: AsyncBridge;
  readonly recovery: Recovery;
}

/** From streams to entries in hand. */
function createReadingParts(options: ReadingOptions): ReadingParts {
  const { dispatcher, reopen, log, settings } = options;
  const offer = (lane: Lane, batch: ClaimedBatch): Promise<void> => dispatcher.offerClaimed(lane, batch);
  const reader = createLaneReader({
    ...options,
    sink: {
      onEntries: (lane, batch) => dispatcher.offer(lane, batch),
      onBroken: reopen,
      onCut(lane) {
        doubt(lane, settings.blockMs + LATE_MS);
        reopen(lane);
      },
      log,
    },
  });
  const { queueVisibilityMs } = settings;
  const bridge = createAsyncBridge({ ...options, offer, queueVisibilityMs, onRoom: (lane) => reader.nudge(lane) });
  const enqueue = (lane: Lane, ids: readonly string[]): void => dispatcher.enqueue(lane, ids);
  const recovery = createRecovery({ ...options, offer, enqueue });
  return { reader, bridge, recovery };
}
