import type { Logger } from 'pino';
import type { KeyRing, LoadableVersion, Manifest, RedisAccess, Registry } from '#functions';
import type { Runtime } from '#runtime';
import type { Executions } from '../../executions/executions.ts';
import type { Options } from '../../executions/options.ts';
import type { RegisteredRuns } from '../../executions/registered-runs.ts';
import type { Figures } from '../../figures/figures.ts';
import type { Fleet } from '../../fleet/fleet.ts';
import type { DeadLetters } from '../../journal/dead-letters.ts';
import type { Journal } from '../../journal/journal.ts';
import type { SchedulerKeys } from '../../keys.ts';
import type { Settings } from '../../settings.ts';
import type { Tokens } from '../../tokens/tokens.ts';
import type { TracedCalls } from '../../triggers/command-calls.ts';
import type { StreamTrigger } from '../../triggers/stream.ts';
import type { VariableBook } from '../../variables/variable-book.ts';

/** What the management commands work with. */
export interface OperationDependencies {
  readonly registry: Registry;
  readonly fleet: Pick<Fleet, 'self' | 'nodes' | 'isAlive' | 'waitForRevision'>;
  readonly journal: Pick<Journal, 'stats' | 'clearStats' | 'logs'>;
  readonly deadLetters: DeadLetters;
  readonly streams: Pick<StreamTrigger, 'inspect' | 'facts' | 'waiting'>;
  readonly calls: TracedCalls;
  readonly access: Pick<RedisAccess, 'facts' | 'client' | 'shards' | 'tagOf' | 'openPipe'>;
  readonly keys: Pick<SchedulerKeys, 'prefix' | 'registrationIndex' | 'streams' | 'schedule' | 'captured' | 'lease'>;
  readonly settings: Pick<Settings, 'fleet' | 'limits' | 'caps' | 'executions' | 'sandboxes' | 'prefix' | 'http'>;
  readonly executions: Omit<Executions, 'drain' | typeof Symbol.asyncDispose>;
  readonly registeredRuns: Pick<RegisteredRuns, 'list' | 'find' | 'drop'>;
  /** Evaluates a script without putting anything in force. */
  readonly inspect: (version: LoadableVersion) => Promise<Manifest>;
  readonly execute: Runtime['execute'];
  readonly measurePool: Runtime['measurePool'];
  /** What was set with RG.CONFIGSET. */
  readonly options: Pick<Options, 'read' | 'set' | 'forFunctions'>;
  readonly tokens: Tokens;
  readonly figures: Pick<Figures, 'latest' | 'history' | 'nodes' | 'backlogs' | 'self'>;
  readonly keyRing: KeyRing;
  readonly variables: Pick<VariableBook, 'redact' | 'reasonAgainst'>;
  /** Settings of this node as they may be shown. */
  readonly shownSettings: readonly ShownSetting[];
  readonly log: Logger;
}

/** A setting in force; what is secret in it is masked. */
export interface ShownSetting {
  readonly name: string;
  readonly value: unknown;
  /** As it is written in flags. */
  readonly shown: string;
  /** `program`: given by the program that started the node. */
  readonly origin: 'flag' | 'environment' | 'file' | 'default' | 'program';
  /** As it is written in flags. */
  readonly default: string;
  readonly description: string;
}
