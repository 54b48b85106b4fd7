import type { Meter } from '../figures/meter.ts';
import type { Journal } from '../journal/journal.ts';

/** The journal; what is counted in it is counted for this node, too. */
export function meteredJournal(journal: Journal, meter: Pick<Meter, 'run'>): Journal {
  return {
    count(registrationId, run) {
      meter.run(registrationId, run);
      journal.count(registrationId, run);
    },
    stats: (registrationIds) => journal.stats(registrationIds),
    clearStats: (registrationIds) => journal.clearStats(registrationIds),
    log: (line) => journal.log(line),
    logs: (functionName, after, count) => journal.logs(functionName, after, count),
    [Symbol.asyncDispose]: () => journal[Symbol.asyncDispose](),
  };
}
