import type { Invocation } from '../invocation.ts';
import type { RunHeader } from '../sandbox/messages.ts';

/** In the order of the numbers of the protocol. */
const SHAPES: readonly Invocation['shape'][] = ['stream', 'command', 'keys', 'hook'];

/** What a sandbox is told of an invocation, but for the handle of its isolate. `ordered`: one execution after the other. */
export function runHeader(invocation: Invocation, ordered: boolean): Omit<RunHeader, 'handle'> {
  return {
    registrationIndex: invocation.registrationIndex,
    shape: SHAPES.indexOf(invocation.shape),
    ordered: orderOf(invocation, ordered),
    wantResults: invocation.wantResults ? 1 : 0,
    executionSize: invocation.executionSize,
    entryCount: invocation.entryCount,
  };
}

/** As `RunHeader.ordered` says. A batch that only runs in order for want of room goes on after a failure. */
function orderOf(invocation: Invocation, ordered: boolean): 0 | 1 | 2 {
  if (!ordered) return 0;
  return invocation.ordered && invocation.stopAtFailure === true ? 2 : 1;
}
