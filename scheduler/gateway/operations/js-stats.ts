import process from 'node:process';
import type { SandboxUsage } from '#runtime';
import type { OperationDependencies } from './dependencies.ts';
import type { Operation, ReplyValue } from './operation.ts';
import { recordReply } from './records.ts';
import { arityError } from './syntax-error.ts';

/** `RG.JSSTATS`: memory and counters of this node, of its sandbox processes, and of every isolate in them. */
export function createJsStatsOperation({ measurePool, fleet }: OperationDependencies): Operation {
  return {
    name: 'RG.JSSTATS',
    summary:
      'Shows memory and counters of the node that is asked, of its sandbox processes, and of the functions in them.',
    syntax: ['RG.JSSTATS'],
    permission: () => 'read',
    async run(args) {
      if (args.length > 0) throw arityError('rg.jsstats');
      const pool = await measurePool();
      const { rss, heapUsed } = process.memoryUsage();
      const versions = pool.flatMap((sandbox) => sandbox.versions);
      return recordReply({
        node: fleet.self.nodeId,
        nodeResidentBytes: rss,
        nodeHeapBytes: heapUsed,
        sandboxResidentBytes: pool.reduce((sum, { residentBytes }) => sum + residentBytes, 0),
        isolates: versions.length,
        isolateHeapBytes: total(versions, 'heapBytes'),
        batches: total(versions, 'batches'),
        entries: total(versions, 'entries'),
        sandboxes: pool.map(sandboxReply),
      });
    },
  };
}

type Version = SandboxUsage['versions'][number];

function sandboxReply({ pid, role, residentBytes, versions }: SandboxUsage): ReplyValue {
  return recordReply({ pid, role, residentBytes, isolates: versions.map(isolateReply) });
}

/** Null, all of them, while the process is too busy to tell. */
function isolateReply({ functionName, version, usage }: Version): ReplyValue {
  return recordReply({
    function: functionName,
    version,
    heapBytes: usage?.heapBytes ?? null,
    externalBytes: usage?.externalBytes ?? null,
    cpuMs: usage?.cpuMs ?? null,
    batches: usage?.batches ?? null,
    entries: usage?.entries ?? null,
  });
}

function total(versions: readonly Version[], field: 'heapBytes' | 'batches' | 'entries'): number {
  return versions.reduce((sum, { usage }) => sum + (usage?.[field] ?? 0), 0);
}
