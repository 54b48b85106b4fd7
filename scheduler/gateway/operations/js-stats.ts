import process from 'node:process';
import type { OperationDependencies } from './dependencies.ts';
import type { Operation } from './operation.ts';
import { recordReply } from './records.ts';
import { arityError } from './syntax-error.ts';

/** `RG.JSSTATS`: memory of this node and of its sandbox processes, and what is loaded in them. */
export function createJsStatsOperation({ inspectPool, fleet }: OperationDependencies): Operation {
  return {
    name: 'RG.JSSTATS',
    summary: 'Shows memory and loaded functions of the sandbox processes of the node that is asked.',
    syntax: ['RG.JSSTATS'],
    permission: () => 'read',
    async run(args) {
      if (args.length > 0) throw arityError('rg.jsstats');
      const pool = inspectPool();
      const { rss, heapUsed } = process.memoryUsage();
      const sandboxes = pool.map(({ pid, role, residentBytes, versions }) =>
        recordReply({
          pid,
          role,
          residentBytes,
          isolates: versions.map(({ functionName, version }) => recordReply({ function: functionName, version })),
        }),
      );
      return recordReply({
        node: fleet.self.nodeId,
        nodeResidentBytes: rss,
        nodeHeapBytes: heapUsed,
        sandboxResidentBytes: pool.reduce((sum, { residentBytes }) => sum + residentBytes, 0),
        isolates: pool.reduce((sum, { versions }) => sum + versions.length, 0),
        sandboxes,
      });
    },
  };
}
