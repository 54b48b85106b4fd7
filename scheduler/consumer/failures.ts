import {
  type BuryReason,
  decideFailure,
  type FailureDecision,
  latin1FromUtf8,
  type RegistrationState,
  runsPerRecord,
} from '#functions';
import type { DeadLetter } from '../delivery.ts';
import type { SchedulerKeys } from '../keys.ts';
import type { DeliverySettings } from '../settings.ts';
import { attemptsOf, type ClaimedBatch, fieldsOf } from './batch.ts';
import { createBurialLog } from './burial-log.ts';
import type { ConsumerLog, Count, FailedEntry, GuestError } from './contracts.ts';
import type { Lane } from './lane.ts';
import type { RedisCalls } from './redis-calls.ts';
import type { ConsumedRegistration } from './registration.ts';
import type { Retries } from './retries.ts';

/** What has to be done at once about failed entries; everything else has been arranged. */
export interface FailureActions {
  readonly dead: readonly DeadLetter[];
  /** Positions to run again as they were. */
  readonly again: readonly number[];
  /** Positions to run again in smaller pieces. */
  readonly split: readonly number[];
}

export interface FailedRun {
  readonly lane: Lane;
  readonly batch: ClaimedBatch;
  readonly version: number;
  /** Entries that one execution ties together. */
  readonly executionSize: number;
}

export interface Failures {
  /** Decides about each failed entry of a run, plans retries, notes errors, stops the registration where asked. */
  handle(run: FailedRun, failed: readonly FailedEntry[]): FailureActions;
  /** Stops taking up events here at once and has the registry say so to everybody. */
  halt(registration: ConsumedRegistration, state: RegistrationState, reason: string): void;
}

export interface FailuresOptions {
  readonly settings: DeliverySettings;
  readonly keys: SchedulerKeys;
  readonly calls: RedisCalls;
  readonly retries: Retries;
  readonly count: Count;
  readonly setState: (ids: readonly string[], state: RegistrationState, reason: string | null) => Promise<void>;
  /** Called when a registration was halted, before the registry knows. */
  readonly onHalt: (registration: ConsumedRegistration) => void;
  readonly log: ConsumerLog;
}

/** Notes of errors are kept so long, seconds: longer than anything waits for its retry. */
const NOTE_SECONDS = 7 * 24 * 3600;
const LONGEST_NOTE = 2_000;
/** So many entries of a registration may have a note. */
const MOST_NOTES = 1_000;
/** Text that a function's error begins with to pause its own registration. */
const PAUSE_PREFIX = 'PAUSE';
/** Code of an entry whose version is not run any more, because it has killed its process too often. */
const QUARANTINED = 'SANDBOX_QUARANTINED';
const REASONS: Readonly<Record<BuryReason, DeadLetter['reason']>> = {
  'policy-continue': 'policy',
  'attempts-exhausted': 'attempts',
};

export function createFailures(options: FailuresOptions): Failures {
  return new FailureDesk(options);
}

class FailureDesk implements Failures {
  readonly #options: FailuresOptions;
  readonly #tellOfDeaths: (letters: readonly DeadLetter[]) => void;

  constructor(options: FailuresOptions) {
    this.#options = options;
    this.#tellOfDeaths = createBurialLog(options.log);
  }

  handle(run: FailedRun, failed: readonly FailedEntry[]): FailureActions {
    const again = positionsOf(failed, ({ kind }) => kind === 'interrupted');
    const splits = canSplit(run);
    const split = positionsOf(failed, ({ kind }) => kind === 'crash' && splits);
    const counting = failed.filter(({ kind }) => kind !== 'interrupted' && !(kind === 'crash' && splits));
    const dead = counting.map((entry) => this.#decide(run, entry)).filter((letter) => letter !== null);
    const last = counting.at(-1)?.error;
    if (last !== undefined) {
      const retries = run.lane.registration.running ? counting.length - dead.length : 0;
      this.#options.count(run.lane.registration.id, { retries, lastError: errorTitle(last) });
    }
    this.#tellOfDeaths(dead);
    return { dead, again, split };
  }

  halt(registration: ConsumedRegistration, state: RegistrationState, reason: string): void {
    const { log, count, onHalt, setState } = this.#options;
    if (!registration.running) return;
    const { functionName, version } = registration.active;
    const facts = { function: functionName, version, registration: registration.id, state, reason };
    log.warn(facts, 'the registration stops itself');
    if (state === 'aborted') count(registration.id, { aborted: 1 });
    onHalt(registration);
    setState([registration.id], state, reason).catch((error: unknown) => {
      log.error({ ...facts, err: error }, 'the registry could not be told that a registration stopped');
    });
  }

  /** Arranges what becomes of an entry; returns its letter if it is dead. */
  #decide(run: FailedRun, failed: FailedEntry): DeadLetter | null {
    const { lane, batch } = run;
    const { registration } = lane;
    if (failed.error.message.startsWith(PAUSE_PREFIX)) {
      this.halt(registration, 'paused', failed.error.message);
      return null;
    }
    if (failed.error.code === QUARANTINED) return this.#onQuarantined(run, failed);
    const decision = this.#decisionFor(run, failed);
    if (decision.do === 'abort') {
      this.halt(registration, 'aborted', failed.error.message);
      return null;
    }
    if (decision.do === 'bury') return letterOf(run, failed, REASONS[decision.reason]);
    const id = batch.ids[failed.index] as string;
    this.#note(lane, id, failed.error);
    const wait = { delayMs: decision.delayMs, alone: failed.kind === 'crash' };
    if (registration.running) this.#options.retries.add(lane, id, wait);
    return null;
  }

  /** The version does not run any more: nothing of it is tried again. What is still to come waits for whoever mends it. */
  #onQuarantined(run: FailedRun, failed: FailedEntry): DeadLetter | null {
    const { registration } = run.lane;
    if (run.version !== registration.active.version) return letterOf(run, failed, 'quarantine');
    this.halt(registration, 'quarantined', failed.error.message);
    return null;
  }

  #decisionFor(run: FailedRun, failed: FailedEntry): FailureDecision {
    const { trigger } = run.lane.registration;
    return decideFailure({
      policy: trigger.onFailedPolicy,
      attempts: attemptsOf(run.batch, failed.index),
      maxAttempts: trigger.maxAttempts,
      retryIntervalMs: trigger.retryIntervalMs,
      ceilingMs: this.#options.settings.retryCeilingMs,
      kind: failed.kind,
    });
  }

  /** Should the entry be trimmed away before it has run again, its dead letter can say what was wrong. */
  #note(lane: Lane, id: string, error: GuestError): void {
    const { calls, keys, log } = this.#options;
    if (lane.registration.waiting > MOST_NOTES) return;
    const key = keys.failures(lane.tag, lane.registration.group);
    const text = latin1FromUtf8(errorTitle(error).slice(0, LONGEST_NOTE));
    const ignore = (reason: unknown): void => log.debug({ err: reason }, 'an error could not be noted');
    calls.call(['HSET', key, `${lane.stream} ${id}`, text]).catch(ignore);
    calls.call(['EXPIRE', key, String(NOTE_SECONDS)]).catch(ignore);
  }
}

/** An error in a line. Those of flatError have no name: their text stays as it is. */
export function errorTitle({ name, message }: Pick<GuestError, 'name' | 'message'>): string {
  return name === '' ? message : `${name}: ${message}`;
}

function positionsOf(failed: readonly FailedEntry[], which: (entry: FailedEntry) => boolean): number[] {
  return failed.filter(which).map(({ index }) => index);
}

/** A crash of several executions blames all of them; only one alone is surely the culprit. */
function canSplit(run: FailedRun): boolean {
  return run.batch.ids.length > smallestPiece(run);
}

/** Entries that have to run together, so that nothing smaller can be tried. */
export function smallestPiece(run: FailedRun): number {
  return runsPerRecord(run.lane.registration.active.spec.steps) ? 1 : run.executionSize;
}

function letterOf(run: FailedRun, failed: FailedEntry, reason: DeadLetter['reason']): DeadLetter {
  const { lane, batch, version } = run;
  return {
    entryId: batch.ids[failed.index] as string,
    stream: lane.stream,
    registrationId: lane.registration.id,
    functionName: lane.registration.active.functionName,
    version,
    attempts: attemptsOf(batch, failed.index),
    reason,
    errorCode: failed.error.code,
    errorMessage: failed.error.message,
    errorStack: failed.error.stack,
    payload: fieldsOf(batch, failed.index),
    diedAtMs: Date.now(),
  };
}
