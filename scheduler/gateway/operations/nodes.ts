import type { OperationDependencies } from './dependencies.ts';
import type { Operation } from './operation.ts';
import { recordReply } from './records.ts';
import { arityError } from './syntax-error.ts';

/** `RG.NODES`: the live nodes. */
export function createNodesOperation({ fleet, registry }: OperationDependencies): Operation {
  return {
    name: 'RG.NODES',
    summary: 'Shows the live nodes and the registry revision each has applied.',
    syntax: ['RG.NODES'],
    permission: () => 'read',
    async run(args) {
      if (args.length > 0) throw arityError('rg.nodes');
      const { revision: newest } = registry.snapshot();
      const nodes = await fleet.nodes();
      return nodes.map(({ nodeId, slot, consumer, host, pid, startedAtMs, revision }) => {
        const isSelf = nodeId === fleet.self.nodeId ? 1 : 0;
        const isCurrent = revision >= newest ? 1 : 0;
        return recordReply({ nodeId, slot, consumer, host, pid, startedAtMs, revision, isCurrent, isSelf });
      });
    },
  };
}
