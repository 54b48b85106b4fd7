import { availableParallelism, hostname } from 'node:os';

/** What defaults may depend on. */
export interface Machine {
  readonly hostName: string;
  readonly processId: number;
  readonly cores: number;
}

/** The machine this process runs on. */
export function thisMachine(): Machine {
  return { hostName: hostname(), processId: process.pid, cores: availableParallelism() };
}
