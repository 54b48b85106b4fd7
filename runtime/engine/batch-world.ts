import type { AtomicSessions, CommandPolicy, Effects, LogSink } from '../bindings/binding.ts';
import type { RuntimeLog } from '../bindings/log-sink.ts';
import type { Outcome } from '../outcome.ts';
import type { LoadedIsolate } from '../sandbox/isolates.ts';
import type { RunHeader, StageNews } from '../sandbox/messages.ts';
import type { Ask } from './asks.ts';

/** What a batch needs besides the invocation. */
export interface BatchWorld {
  readonly isolate: LoadedIsolate;
  readonly effects: Effects;
  readonly sessions: AtomicSessions;
  readonly policy: CommandPolicy;
  readonly logs: LogSink;
  readonly log: RuntimeLog;
  /** Answers timers, futures and runs; see `Asks`. */
  readonly ask: (ask: Ask) => Promise<string>;
  /** True: one execution after the other. */
  readonly ordered: boolean;
  /** All entries have been reported. */
  readonly onSettled: (outcome: Outcome) => void;
  /** No guest code of the batch runs any more; the isolate may go. */
  readonly onGone: () => void;
  /** For a stage of a batch run: what stands in the header in place of a registration. */
  readonly header?: Pick<RunHeader, 'shape' | 'registrationIndex'>;
  readonly onStage?: (news: StageNews) => void;
}
