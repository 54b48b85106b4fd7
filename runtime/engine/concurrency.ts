/** Counts the executions of each version that run at once; whoever does not fit waits its turn or is told. */
export interface Concurrency {
  /** Takes `weight` places of `limit` if they are free. */
  tryEnter(key: string, weight: number, limit: number): boolean;
  /** Waits for its turn, first come first served; resolves false when the signal is aborted meanwhile. */
  enter(request: EnterRequest): Promise<boolean>;
  leave(key: string, weight: number): void;
}

export interface EnterRequest {
  readonly key: string;
  readonly weight: number;
  readonly limit: number;
  readonly signal: AbortSignal;
}

interface Waiter {
  readonly weight: number;
  readonly limit: number;
  readonly enter: () => void;
}

interface Gate {
  active: number;
  readonly waiting: Waiter[];
}

export function createConcurrency(): Concurrency {
  const gates = new Map<string, Gate>();
  const gateOf = (key: string): Gate => {
    const known = gates.get(key);
    if (known) return known;
    const gate: Gate = { active: 0, waiting: [] };
    gates.set(key, gate);
    return gate;
  };
  const letIn = (gate: Gate): void => {
    for (let next = gate.waiting[0]; next && fits(gate, next); next = gate.waiting[0]) {
      gate.waiting.shift();
      gate.active += next.weight;
      next.enter();
    }
  };
  return {
    tryEnter(key, weight, limit) {
      const gate = gateOf(key);
      if (gate.waiting.length > 0 || !fits(gate, { weight, limit })) return false;
      gate.active += weight;
      return true;
    },
    enter({ key, weight, limit, signal }) {
      const gate = gateOf(key);
      return new Promise((resolve) => {
        const settle = (entered: boolean): void => {
          signal.removeEventListener('abort', onAbort);
          resolve(entered);
        };
        const waiter: Waiter = { weight, limit, enter: () => settle(true) };
        const onAbort = (): void => {
          const at = gate.waiting.indexOf(waiter);
          if (at >= 0) gate.waiting.splice(at, 1);
          settle(false);
          letIn(gate);
        };
        if (signal.aborted) {
          resolve(false);
          return;
        }
        signal.addEventListener('abort', onAbort);
        gate.waiting.push(waiter);
        letIn(gate);
      });
    },
    leave(key, weight) {
      const gate = gateOf(key);
      gate.active -= weight;
      letIn(gate);
      if (gate.active === 0 && gate.waiting.length === 0) gates.delete(key);
    },
  };
}

/** Something larger than the limit itself still runs, alone. */
function fits(gate: Gate, wanted: { readonly weight: number; readonly limit: number }): boolean {
  return gate.active === 0 || gate.active + wanted.weight <= wanted.limit;
}
