import { PlatformError } from '#functions';
import type { OperationDependencies } from './dependencies.ts';
import type { Operation } from './operation.ts';
import { recordReply } from './records.ts';
import { arityError } from './syntax-error.ts';

/** `RG.STREAMS`: how far each registration is with each of its streams. */
export function createStreamsOperation({ streams, registry }: OperationDependencies): Operation {
  return {
    name: 'RG.STREAMS',
    summary: 'Shows per registration and stream what is unread, pending, in work and waiting, as this node sees it.',
    syntax: ['RG.STREAMS [<registration id>]'],
    permission: () => 'read',
    async run(args) {
      if (args.length > 1) throw arityError('rg.streams');
      const [wanted] = args;
      const { registrations } = registry.snapshot();
      if (wanted !== undefined && !registrations.has(wanted)) {
        throw new PlatformError('REGISTRATION_NOT_FOUND', `there is no registration ${wanted}`);
      }
      const reports = await streams.inspect();
      const shown = reports.filter(({ registrationId }) => wanted === undefined || registrationId === wanted);
      return shown.map(({ registrationId, stream, mode, lag, pending, inWork, waiting, lagIsExact, ...lane }) => {
        const work = { lag, pending, inWork, waiting, lagIsExact: lagIsExact ? 1 : 0 };
        const standsStill = lane.running ? undefined : registrations.get(registrationId)?.state;
        return recordReply({ registration: registrationId, stream, mode, state: standsStill ?? lane.state, ...work });
      });
    },
  };
}
