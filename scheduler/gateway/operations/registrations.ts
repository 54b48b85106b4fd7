import type { OperationDependencies } from './dependencies.ts';
import { withReferenceTexts } from './execution-replies.ts';
import type { Operation } from './operation.ts';
import { OK } from './records.ts';
import { changeState, type StateChange, unregister } from './registration-changes.ts';
import { arityError } from './syntax-error.ts';

const UNKNOWN = { REGISTRATION_NOT_FOUND: 'execution is not registered' };

/** `RG.UNREGISTER`. */
export function createUnregisterOperation(dependencies: OperationDependencies): Operation {
  return {
    name: 'RG.UNREGISTER',
    summary: 'Takes one registration out of force, until its function is loaded or rolled back again.',
    syntax: ['RG.UNREGISTER <registration id> [ABORTPENDING]'],
    permission: () => 'manage',
    subject: (args) => args,
    async run(args) {
      const [id] = args;
      if (id === undefined || args.length > 2) throw arityError('rg.unregister');
      const aborts = args[1]?.toUpperCase() === 'ABORTPENDING';
      await withReferenceTexts(unregister(dependencies, id, aborts), UNKNOWN);
      return OK;
    },
  };
}

/** `RG.PAUSEREGISTRATIONS`. */
export function createPauseOperation(dependencies: OperationDependencies): Operation {
  return {
    name: 'RG.PAUSEREGISTRATIONS',
    summary: 'Stops taking up events for registrations, on every node, until they are unpaused.',
    syntax: ['RG.PAUSEREGISTRATIONS <registration id> [<registration id> ...]'],
    permission: () => 'manage',
    subject: (ids) => ids,
    run: (ids, { user }) =>
      setState(dependencies, {
        command: 'rg.pauseregistrations',
        ids,
        state: 'paused',
        reason: `paused by user ${user}`,
      }),
  };
}

/** `RG.UNPAUSEREGISTRATIONS`. */
export function createUnpauseOperation(dependencies: OperationDependencies): Operation {
  return {
    name: 'RG.UNPAUSEREGISTRATIONS',
    summary: 'Takes up events again for registrations that were paused, aborted or quarantined.',
    syntax: ['RG.UNPAUSEREGISTRATIONS <registration id> [<registration id> ...]'],
    permission: () => 'manage',
    subject: (ids) => ids,
    run: (ids) => setState(dependencies, { command: 'rg.unpauseregistrations', ids, state: 'running', reason: null }),
  };
}

interface StateWish extends StateChange {
  readonly command: string;
}

async function setState(dependencies: OperationDependencies, { command, ...change }: StateWish): Promise<typeof OK> {
  if (change.ids.length === 0) throw arityError(command);
  await changeState(dependencies, change);
  return OK;
}

/** `RG.CLEARREGISTRATIONSSTATS`. */
export function createClearStatsOperation({ journal }: OperationDependencies): Operation {
  return {
    name: 'RG.CLEARREGISTRATIONSSTATS',
    summary: 'Sets the numbers of all registrations to zero.',
    syntax: ['RG.CLEARREGISTRATIONSSTATS'],
    permission: () => 'manage',
    async run(args) {
      if (args.length > 0) throw arityError('rg.clearregistrationsstats');
      await journal.clearStats();
      return OK;
    },
  };
}
