import { cellOf, type Reply, recordsOf } from '../client.ts';
import type { Command } from '../command.ts';
import { timeOf } from '../time.ts';

/** `regears nodes`. */
export const nodes: Command = {
  kind: 'remote',
  description:
    'Lists the live nodes of the fleet. REGISTRY says whether a node has applied the newest change of functions and ' +
    'registrations; the node that answers is marked with *.',
  examples: ['nodes', 'nodes --json'],
  run: async ({ output, door }) => {
    const all = recordsOf(await (await door()).call('RG.NODES'));
    output.answer(all, () => {
      const row = (each: Record<string, Reply>) => [
        `${cellOf(each.nodeId)}${Number(each.isSelf) === 1 ? ' *' : ''}`,
        cellOf(each.slot),
        cellOf(each.host),
        cellOf(each.pid),
        timeOf(each.startedAtMs),
        `revision ${cellOf(each.revision)}, ${Number(each.isCurrent) === 1 ? 'current' : 'behind'}`,
      ];
      output.table(['NODE', 'SLOT', 'HOST', 'PID', 'STARTED', 'REGISTRY'], all.map(row));
    });
    return undefined;
  },
};
