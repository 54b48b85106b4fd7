import { PlatformError, type RegistrationState } from '#functions';
import { abortPending } from './abort-pending.ts';
import { converge } from './converge.ts';
import type { OperationDependencies } from './dependencies.ts';
import type { Operation } from './operation.ts';
import { OK } from './records.ts';
import { arityError, referenceError } from './syntax-error.ts';

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
      const { revision } = await unregister(dependencies, id, aborts);
      await converge(dependencies, revision);
      return OK;
    },
  };
}

async function unregister(
  dependencies: OperationDependencies,
  id: string,
  aborts: boolean,
): Promise<{ readonly revision: number }> {
  try {
    if (aborts) await abortPending(dependencies, [id]);
    return await dependencies.registry.unregister(id);
  } catch (error) {
    if (error instanceof PlatformError && error.code === 'REGISTRATION_NOT_FOUND') {
      throw referenceError('execution is not registered');
    }
    throw error;
  }
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

interface StateChange {
  readonly command: string;
  readonly ids: readonly string[];
  readonly state: RegistrationState;
  readonly reason: string | null;
}

async function setState(dependencies: OperationDependencies, change: StateChange): Promise<typeof OK> {
  const { command, ids, state, reason } = change;
  if (ids.length === 0) throw arityError(command);
  const { revision } = await dependencies.registry.setState([...new Set(ids)], state, reason);
  await converge(dependencies, revision);
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
