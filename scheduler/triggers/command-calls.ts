import type { TraceContext } from '#runtime';

/** What the RESP door asks of the command trigger. */
export interface CommandCalls {
  /**
   * Runs the registration whose trigger is `name`. `args` is one RESP array (latin1) with the trigger's name first, then the
   * caller's arguments. `answer` is called exactly once with one complete RESP2 reply: an array of results, or an error.
   * Calls of one tick travel to the sandbox together.
   */
  call(name: string, args: string, answer: (reply: string) => void): void;
  /** True when a registration answers to this trigger on this node. */
  has(name: string): boolean;
}

/** What the HTTP door asks of it: its calls may belong to a trace. */
export interface TracedCalls extends CommandCalls {
  /** The same as `call`. @param trace what the caller sent of it, as it came. */
  callWithin(trace: TraceContext, call: NamedCall): void;
}

export interface NamedCall {
  readonly name: string;
  readonly args: string;
  readonly answer: (reply: string) => void;
}
