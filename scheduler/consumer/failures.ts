import { decideFailure, type FailureDecision, latin1FromUtf8, type RegistrationState, runsPerRecord } from '#functions';
import type { DeadLetter, EntryEnd } from '../delivery.ts';
import type { SchedulerKeys } from '../keys.ts';
import type { DeliverySettings } from '../settings.ts';
import { attemptsOf, type ClaimedBatch, fieldsOf } from './batch.ts';
import type { ConsumerLog, Count, FailedEntry, GuestError } from './contracts.ts';
import { type Lane, modeOf } from './lane.ts';
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

export function createFailures(options: FailuresOptions): Failures {
  const { settings, retries, count, log } = options;

  function decide(run: FailedRun, failed: FailedEntry): FailureDecision {
    const { trigger } = run.lane.registration;
    return decideFailure({
      policy: trigger.onFailedPolicy,
      attempts: attemptsOf(run.batch, failed.index),
      maxAttempts: trigger.maxAttempts,
      retryIntervalMs: trigger.retryIntervalMs,
      ceilingMs: settings.retryCeilingMs,
      kind: failed.kind,
    });
  }

  function note(run: FailedRun, id: string, error: GuestError): void {
    const { lane } = run;
    if (lane.registration.waiting > MOST_NOTES) return;
    const key = options.keys.failures(lane.tag, lane.registration.group);
    const text = latin1FromUtf8(`${error.name}: ${error.message}`.slice(0, LONGEST_NOTE));
    const ignore = (reason: unknown): void => log.debug({ err: reason }, 'an error could not be noted');
    options.calls.call(['HSET', key, `${lane.stream} ${id}`, text]).catch(ignore);
    options.calls.call(['EXPIRE', key, String(NOTE_SECONDS)]).catch(ignore);
  }

  function halt(registration: ConsumedRegistration, state: RegistrationState, reason: string): void {
    if (!registration.running) return;
    log.warn({ registration: registration.id, state, reason }, 'the registration stops itself');
    options.onHalt(registration);
    options.setState([registration.id], state, reason).catch((error: unknown) => {
      log.error(
        { err: error, registration: registration.id },
        'the registry could not be told that a registration stopped',
      );
    });
  }

  /** Returns what to do with one entry whose failure counts. */
  function settleOne(run: FailedRun, failed: FailedEntry): DeadLetter | null {
    const { lane, batch } = run;
    const id = batch.ids[failed.index] as string;
    const decision = decide(run, failed);
    if (decision.do === 'abort') {
      halt(lane.registration, 'aborted', failed.error.message);
      return null;
    }
    if (decision.do === 'bury') {
      return letterOf(run, failed, decision.reason === 'policy-continue' ? 'policy' : 'attempts');
    }
    note(run, id, failed.error);
    if (lane.registration.running) retries.add(lane, id, { delayMs: decision.delayMs, alone: failed.kind === 'crash' });
    return null;
  }

  return {
    halt,
    handle(run, failed) {
      const dead: DeadLetter[] = [];
      const again: number[] = [];
      const split: number[] = [];
      let retried = 0;
      for (const entry of failed) {
        if (entry.kind === 'interrupted') again.push(entry.index);
        else if (entry.kind === 'crash' && canSplit(run)) split.push(entry.index);
        else if (entry.error.message.startsWith(PAUSE_PREFIX))
          halt(run.lane.registration, 'paused', entry.error.message);
        else {
          const letter = settleOne(run, entry);
          if (letter === null) retried += 1;
          else dead.push(letter);
        }
      }
      const counted = failed.length - again.length;
      const last = failed.findLast((entry) => entry.kind !== 'interrupted');
      if (last !== undefined && counted > 0) {
        count(run.lane.registration.id, { retries: retried, lastError: `${last.error.name}: ${last.error.message}` });
      }
      return { dead, again, split };
    },
  };
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

/** True for modes in which a failed entry holds up its stream. */
export function blocksOnFailure(lane: Lane): boolean {
  return modeOf(lane) === 'sync';
}

export type { EntryEnd };
