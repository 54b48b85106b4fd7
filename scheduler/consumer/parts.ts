import type { LoadableVersion, RedisAccess, RegistrationState } from '#functions';
import type { SchedulerKeys } from '../keys.ts';
import type { DeliverySettings } from '../settings.ts';
import { type AsyncBridge, createAsyncBridge } from './async-bridge.ts';
import { createClaimer } from './claimer.ts';
import type { ConsumerLog, Count, Execute, LeaseTable, NodeIdentity, QueuedEntries } from './contracts.ts';
import { createDispatcher, type Dispatcher } from './dispatcher.ts';
import { createFailures, type Failures } from './failures.ts';
import { createGroups, type Groups } from './group.ts';
import { type Lane, modeOf, setParked } from './lane.ts';
import { createLanes, type Lanes } from './lanes.ts';
import { createLaneReader, type LaneReader } from './reader.ts';
import { createRecovery, type Recovery } from './recovery.ts';
import { createRedisCalls, type RedisCalls } from './redis-calls.ts';
import type { ConsumedRegistration } from './registration.ts';
import { createRetries, type Retries } from './retries.ts';
import { createRunner, type Runner } from './runner.ts';
import { createSettler, type Settler } from './settler.ts';
import { createTrimmer, type Trimmer } from './trimmer.ts';

export interface ConsumerOptions {
  readonly access: RedisAccess;
  readonly node: NodeIdentity;
  readonly leases: LeaseTable;
  readonly keys: SchedulerKeys;
  readonly settings: DeliverySettings;
  readonly deadLetterCap: number;
  readonly execute: Execute;
  readonly loadable: (name: string, version: number) => Promise<LoadableVersion>;
  readonly setState: (ids: readonly string[], state: RegistrationState, reason: string | null) => Promise<void>;
  readonly addJobs: (jobs: readonly QueuedEntries[]) => Promise<void>;
  readonly count: Count;
  /** Says that nothing is pending under a dead consumer's name any more. */
  readonly forget: (consumer: string) => Promise<void>;
  readonly log: ConsumerLog;
}

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
  readonly bridge: AsyncBridge;
  readonly trimmer: Trimmer;
  readonly signal: AbortSignal;
}

/** @param onHalt a registration has stopped itself: nothing of it may be taken up from now on. */
export function createParts(
  options: ConsumerOptions,
  onHalt: (registration: ConsumedRegistration) => void,
): ConsumerParts {
  const { access, node, keys, settings, deadLetterCap, count, log, leases } = options;
  const closing = new AbortController();
  const pipe = access.openPipe('regears-consumer');
  const calls = createRedisCalls(pipe);
  const trimmer = createTrimmer({ calls, log });
  const settler = createSettler({ calls, keys, node, leases, deadLetterCap, onSettled: trimmer.onSettled, log });
  const claimer = createClaimer({ calls, keys, deadLetterCap, log });
  const retries = createRetries((due) => dispatcher.onDue(due));
  const failures = createFailures({ settings, keys, calls, retries, count, setState: options.setState, onHalt, log });
  const dispatcher: Dispatcher = createDispatcher({
    ...{ node, settler, claimer, loadable: options.loadable, log },
    runner: () => runner,
    retries: () => retries,
    enqueue: (lane, ids) => bridge.enqueue(lane, ids),
  });
  const reader: LaneReader = createLaneReader({
    ...{ access, node, settings },
    sink: {
      onEntries: (lane, batch) => dispatcher.offer(lane, batch),
      onBroken: (lane) => reopen(lane),
      onCut: (lane) => reopen(lane),
      log,
    },
  });
  const offer = dispatcher.offerClaimed;
  const shared = { calls, claimer, node, offer, signal: closing.signal };
  const bridge: AsyncBridge = createAsyncBridge({
    ...shared,
    ...{ addJobs: options.addJobs, queueVisibilityMs: settings.queueVisibilityMs, onRoom: reader.nudge, log },
  });
  const recovery = createRecovery({ ...shared, enqueueAgain: bridge.enqueue });
  const groups = createGroups({ calls, keys });
  const lanes: Lanes = createLanes({ access, groups, leases, reader, recovery, signal: closing.signal, log });

  function reopen(lane: Lane): void {
    if (lane.state !== 'ready' || closing.signal.aborted) return;
    lanes.open(lane).catch((error: unknown) => log.error({ err: error, stream: lane.stream }, 'a stream was lost'));
  }

  const runner: Runner = createRunner({
    ...{ execute: options.execute, settler, failures, count, log },
    again: dispatcher.again,
    onForgotten: reopen,
    onOver(lane) {
      if (modeOf(lane) === 'sync') {
        if (lane.waiting.size > 0) setParked(lane, true);
        dispatcher.pump(lane);
      }
      reader.nudge(lane);
      reader.kick(lane.registration);
    },
    onLeaseLost(lane) {
      log.warn({ registration: lane.registration.id, stream: lane.stream }, 'another node reads the stream now');
      lane.holdsLease = false;
      dispatcher.dropLane(lane);
      reopen(lane);
    },
  });

  return {
    ...{ calls, settler, retries, failures, dispatcher, reader, groups, recovery, lanes, bridge, trimmer },
    signal: closing.signal,
    async [Symbol.asyncDispose]() {
      closing.abort();
      for (const part of [settler, retries, dispatcher, trimmer]) part.close();
      await calls[Symbol.asyncDispose]();
      await reader[Symbol.asyncDispose]();
      await pipe[Symbol.asyncDispose]();
    },
  };
}
