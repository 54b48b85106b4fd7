import type { Style } from '../render.ts';
import { amount, memory, span } from './amounts.ts';
import type { NodeFigures, RegistrationFigures } from './figures.ts';
import type { Column } from './table.ts';

export const REGISTRATION_COLUMNS: readonly Column<RegistrationFigures>[] = [
  { title: 'REGISTRATION', text: ({ id }) => id, isFlexible: true },
  { title: 'STATE', text: ({ state, health }) => (health === 'failing' ? 'failing' : state), style: stateStyle },
  { title: 'ENTRIES/S', text: ({ entries }) => amount(entries), isNumber: true },
  { title: 'RUNS/S', text: ({ executions }) => amount(executions), isNumber: true, isOptional: true },
  {
    title: 'FAILED/S',
    text: ({ errors }) => amount(errors),
    isNumber: true,
    style: (row) => (row.errors > 0 ? 'bad' : null),
  },
  { title: 'UNREAD', text: ({ unread }) => amount(unread), isNumber: true },
  { title: 'PENDING', text: ({ pending }) => amount(pending), isNumber: true, isOptional: true },
  { title: 'LAG', text: ({ lagAgeMs }) => span(lagAgeMs), isNumber: true },
  { title: 'P50', text: ({ p50Ms }) => span(p50Ms), isNumber: true, isOptional: true },
  { title: 'P99', text: ({ p99Ms }) => span(p99Ms), isNumber: true, isOptional: true },
];

export const NODE_COLUMNS: readonly Column<NodeFigures>[] = [
  { title: 'NODE', text: ({ nodeId, self }) => `${nodeId}${self ? ' *' : ''}`, isFlexible: true },
  { title: 'HOST', text: ({ host }) => host, isOptional: true },
  { title: 'PID', text: ({ pid }) => String(pid), isNumber: true },
  { title: 'STATE', text: nodeState, style: (node) => (nodeState(node) === 'ready' ? 'good' : 'warn') },
  { title: 'MEMORY', text: ({ residentBytes }) => memory(residentBytes), isNumber: true },
  { title: 'LOOP P99', text: ({ loopDelayMs }) => span(loopDelayMs), isNumber: true },
  { title: 'SANDBOXES', text: ({ sandboxes }) => String(sandboxes.length), isNumber: true },
];

/** A sandbox with the node it belongs to. */
export type SandboxRow = NodeFigures['sandboxes'][number] & { readonly node: NodeFigures };

export const SANDBOX_COLUMNS: readonly Column<SandboxRow>[] = [
  { title: 'SANDBOX', text: ({ pid }) => String(pid), isNumber: true },
  { title: 'NODE', text: ({ node }) => `${node.host}:${node.pid}`, isOptional: true },
  { title: 'ROLE', text: ({ role }) => role },
  { title: 'MEMORY', text: ({ residentBytes }) => memory(residentBytes), isNumber: true },
  {
    title: 'FUNCTIONS',
    text: ({ isolates }) =>
      isolates.map((each) => `${each.function}@${each.version} ${memory(each.heapBytes)}`).join(', ') || '-',
    isFlexible: true,
  },
];

function nodeState({ ready, behind }: NodeFigures): string {
  if (!ready) return 'not ready';
  return behind ? 'behind' : 'ready';
}

function stateStyle({ state, health }: RegistrationFigures): Style | null {
  if (health === 'failing') return 'bad';
  return state === 'running' ? 'good' : 'warn';
}
