import type { OperationDependencies } from './dependencies.ts';
import { reportFigures } from './figure-reports.ts';
import type { NodeReport } from './node-reports.ts';
import type { Operation } from './operation.ts';
import { treeReply } from './records.ts';
import { arityError } from './syntax-error.ts';

/** `RG.FIGURES`: what the dashboard's overview shows, by registration and node. */
export function createFiguresOperation(dependencies: OperationDependencies): Operation {
  return {
    name: 'RG.FIGURES',
    summary: 'Shows what the fleet does now: rates, durations, lag and memory, by registration and node.',
    syntax: ['RG.FIGURES'],
    permission: () => 'read',
    async run(args) {
      if (args.length > 0) throw arityError('rg.figures');
      const { nodes, ...report } = await reportFigures(dependencies);
      return treeReply({ ...report, nodes: nodes.map(nodeTree) });
    },
  };
}

/** Without what a sandbox is too busy to tell, and without the counts that the rates were made of. */
function nodeTree({ nodeId, slot, host, pid, startedAtMs, revision, behind, self, status }: NodeReport): object {
  const sandboxes = (status?.sandboxes ?? []).map(({ pid: sandboxPid, role, residentBytes, isolates }) => ({
    ...{ pid: sandboxPid, role, residentBytes },
    isolates: isolates.map(({ functionName, version, heapBytes, cpuMs }) => ({
      ...{ functionName, version, heapBytes, cpuMs },
    })),
  }));
  return {
    ...{ nodeId, slot, host, pid, startedAtMs, revision, behind, self },
    ready: status?.ready ?? false,
    residentBytes: status?.residentBytes ?? null,
    heapBytes: status?.heapBytes ?? null,
    loopDelayMs: status?.loopDelayMs ?? null,
    sandboxes,
  };
}
