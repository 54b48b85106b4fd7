import type { NodeStatus } from '../../figures/figures.ts';
import type { NodeRecord } from '../../fleet/fleet.ts';
import type { OperationDependencies } from './dependencies.ts';

/** A live node with what it says about itself. */
export interface NodeReport extends NodeRecord {
  /** True: it has not applied the newest revision of the registry. */
  readonly behind: boolean;
  readonly self: boolean;
  /** Null when it has said nothing in the last seconds. */
  readonly status: NodeStatus | null;
}

/** By slot. */
export async function reportNodes({
  fleet,
  registry,
  figures,
}: Pick<OperationDependencies, 'fleet' | 'registry' | 'figures'>): Promise<readonly NodeReport[]> {
  const { revision: newest } = registry.snapshot();
  const nodes = await fleet.nodes();
  const statuses = await figures.nodes(nodes.map(({ slot }) => slot));
  const reports = nodes.map((node) => ({
    ...node,
    behind: node.revision < newest,
    self: node.nodeId === fleet.self.nodeId,
    status: statuses.get(node.slot) ?? null,
  }));
  return reports.sort((a, b) => a.slot - b.slot);
}
