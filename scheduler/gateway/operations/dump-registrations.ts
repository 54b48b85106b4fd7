import type { ActiveRegistration, KeysTriggerSpec, RegistrationState, StreamTriggerSpec } from '#functions';
import type { RegistrationStats } from '../../triggers/trigger.ts';
import { capturedArguments } from './captured-arguments.ts';
import type { OperationDependencies } from './dependencies.ts';
import { flowArguments } from './flow-arguments.ts';
import type { Operation, ReplyValue } from './operation.ts';
import { endedRuns, reportRegistrations } from './registration-reports.ts';
import { arityError } from './syntax-error.ts';

/** Status of a stream registration in RedisGears' words. */
const STATUS: Readonly<Record<RegistrationState, string>> = {
  running: 'OK',
  paused: 'PAUSED',
  aborted: 'ABORTED',
  quarantined: 'ABORTED',
};

/** `RG.DUMPREGISTRATIONS`: labels and positions are those of RedisGears 1.2; our own fields come behind them. */
export function createDumpRegistrationsOperation(dependencies: OperationDependencies): Operation {
  return {
    name: 'RG.DUMPREGISTRATIONS',
    summary: 'Shows every registration with its arguments, numbers and state.',
    syntax: ['RG.DUMPREGISTRATIONS'],
    permission: () => 'read',
    async run(args) {
      if (args.length > 0) throw arityError('rg.dumpregistrations');
      const { functions } = dependencies.registry.snapshot();
      const reports = await reportRegistrations(dependencies);
      const all = reports.map(({ registration }) => registration);
      return reports.map(({ registration, stats, waiting }) => {
        const description = functions.get(registration.functionName)?.description ?? null;
        const siblings = all.filter(({ functionName }) => functionName === registration.functionName);
        const session = sessionText(registration, description, siblings);
        return registrationReply(registration, { stats, status: statusOf(registration, waiting), session });
      });
    },
  };
}

interface Facts {
  readonly stats: RegistrationStats;
  readonly status: string;
  readonly session: string;
}

/** As in RedisGears, waiting is told by the node where the entries wait. */
function statusOf({ state }: ActiveRegistration, waiting: number): string {
  return state === 'running' && waiting > 0 ? 'WAITING_FOR_RETRY_ON_FAILURE' : STATUS[state];
}

function registrationReply(registration: ActiveRegistration, facts: Facts): ReplyValue {
  const { spec, functionName, version, state, stateReason } = registration;
  return [
    ...['id', spec.id],
    ...['reader', spec.reader],
    ...['desc', spec.description],
    ...['RegistrationData', registrationData(registration, facts)],
    ...['PD', facts.session],
    ...['ExecutionThreadPool', 'DefaultPool'],
    ...['function', functionName],
    ...['version', version],
    ...['state', state],
    ...['stateReason', stateReason],
  ];
}

function registrationData({ spec }: ActiveRegistration, { stats, status }: Facts): ReplyValue {
  const ended = endedRuns(stats);
  const numbers: ReplyValue[] = [
    ...['mode', spec.mode],
    ...['numTriggered', stats.numTriggered],
    ...['numSuccess', stats.numSuccess],
    ...['numFailures', stats.numFailures],
    ...['numAborted', stats.numAborted],
    ...['lastRunDurationMS', Math.round(stats.lastRunDurationMs)],
    ...['totalRunDurationMS', Math.round(stats.totalRunDurationMs)],
    ...['avgRunDurationMS', average(stats.totalRunDurationMs, ended)],
  ];
  const { trigger } = spec;
  if (trigger.kind === 'command') {
    const args = ['trigger', trigger.trigger, 'inorder', trigger.inorder ? 1 : 0];
    return [...numbers, 'lastError', stats.lastError, 'args', args, ...flowArguments(spec)];
  }
  if (trigger.kind === 'hook') {
    const args = ['trigger', trigger.hook, 'inorder', trigger.inorder ? 1 : 0];
    return [...numbers, 'lastError', stats.lastError, 'args', args];
  }
  if (trigger.kind === 'keys') {
    return [
      ...numbers,
      'lastError',
      stats.lastError,
      'args',
      keysArguments(trigger),
      ...ownNumbers(stats),
      ...flowArguments(spec),
    ];
  }
  const lags: ReplyValue[] = [
    ...['lastEstimatedLagMS', Math.round(stats.lastEstimatedLagMs)],
    ...['avgEstimatedLagMS', average(stats.totalEstimatedLagMs, ended)],
    ...['lastError', stats.lastError],
  ];
  const args = trigger.kind === 'stream' ? streamArguments(trigger) : capturedArguments(trigger);
  return [
    ...numbers,
    ...lags,
    ...['args', args],
    ...['status', status],
    ...ownNumbers(stats),
    ...(trigger.kind === 'stream' ? ownArguments(trigger) : []),
    ...flowArguments(spec),
  ];
}

function keysArguments(trigger: KeysTriggerSpec): ReplyValue {
  const { prefix, eventTypes, keyTypes, commands } = trigger;
  return ['regex', prefix, 'eventTypes', eventTypes, 'keyTypes', keyTypes, 'hookCommands', commands];
}

function streamArguments(trigger: StreamTriggerSpec): ReplyValue {
  return [
    ...['batchSize', trigger.batch],
    ...['durationMS', trigger.durationMs],
    ...['stream', trigger.prefix],
    ...['trimStream', trigger.trimStream ? 1 : 0],
    ...['onFailedPolicy', trigger.onFailedPolicy],
    ...['retryInterval', Math.round(trigger.retryIntervalMs / 1000)],
  ];
}

function ownNumbers({ done, filtered, dead, expired, lostToTrim, retries }: RegistrationStats): readonly ReplyValue[] {
  return Object.entries({ done, filtered, dead, expired, lostToTrim, retries }).flat();
}

function ownArguments(trigger: StreamTriggerSpec): readonly ReplyValue[] {
  const { fromId, retryIntervalMs, maxAttempts, maxInFlight, maxAgeMs } = trigger;
  return Object.entries({ fromId, retryIntervalMs, maxAttempts, maxInFlight, maxAgeMs }).flat();
}

/** A double as bulk text. */
function average(total: number, count: number): string {
  return String(count === 0 ? 0 : total / count);
}

/** RedisGears' private data: looks like JSON with single quotes. */
function sessionText(
  { functionName }: ActiveRegistration,
  description: string | null,
  siblings: readonly ActiveRegistration[],
): string {
  const ids = siblings.map(({ spec }) => quoted(spec.id)).join(', ');
  const fields = [
    `'sessionName':${quoted(functionName)}`,
    `'sessionDescription':${quoted(description ?? 'null')}`,
    `'refCount':${siblings.length}`,
    `'linkedTo':'primary'`,
    `'dead':'false'`,
    `'isInstallationNeeded':0`,
    `'registrationsList':[${ids}]`,
    `'depsList':[]`,
  ];
  return `{${fields.join(', ')}}`;
}

function quoted(text: string): string {
  return `'${text.replaceAll(/[\\']/g, '\\$&')}'`;
}
