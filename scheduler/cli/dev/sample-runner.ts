import { setTimeout as sleep } from 'node:timers/promises';
import { PlatformError } from '#functions';
import type { SchedulerErrorCode } from '../../errors.ts';
import type { DoorClient, Reply } from '../client.ts';
import type { RunningNode } from '../node-process.ts';
import { type Match, matchSample } from './match-sample.ts';
import type { Sample } from './sample.ts';
import type { SampleFile } from './sample-folder.ts';
import type { SampleReport } from './sample-report.ts';

/** Sends samples, one after the other. */
export interface SampleRunner extends AsyncDisposable {
  /** @param only the function that has changed: samples of the others are left out. Null = all. */
  send(files: readonly SampleFile[], only: string | null): void;
}

export interface SampleRunnerOptions {
  readonly node: Pick<RunningNode, 'tryOut' | 'registrations'>;
  /** A connection for commands that are sent for real. */
  readonly connect: () => Promise<DoorClient>;
  /** Functions that are developed; samples are for no others. */
  readonly functions: ReadonlySet<string>;
  readonly report: SampleReport;
}

const SAMPLE_MS = 10_000;

export function createSampleRunner(options: SampleRunnerOptions): SampleRunner {
  return new Runner(options);
}

class Runner implements SampleRunner {
  readonly #options: SampleRunnerOptions;
  readonly #closing = new AbortController();
  #line: Promise<void> = Promise.resolve();

  constructor(options: SampleRunnerOptions) {
    this.#options = options;
  }

  send(files: readonly SampleFile[], only: string | null): void {
    this.#line = this.#line.then(async () => {
      for (const file of files) {
        if (this.#closing.signal.aborted) return;
        if (file.error !== null) this.#options.report.unreadable(file.file, file.error);
        for (const sample of file.samples) await this.#sendOne(sample, only);
      }
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    await this.#line;
  }

  async #sendOne(sample: Sample, only: string | null): Promise<void> {
    const { report } = this.#options;
    const deadline = AbortSignal.timeout(SAMPLE_MS);
    const signal = AbortSignal.any([deadline, this.#closing.signal]);
    try {
      if (signal.aborted) return;
      if (sample.event.kind === 'send') report.sent(sample, await this.#sendCommand(sample.event.send, signal));
      else await this.#tryAll(sample, only, signal);
    } catch (reason) {
      if (this.#closing.signal.aborted) return;
      const error = deadline.aborted ? timedOut() : PlatformError.from(reason, 'FAILED');
      report.failed(sample, error);
    }
  }

  async #tryAll(sample: Sample, only: string | null, signal: AbortSignal): Promise<void> {
    const { node, functions, report } = this.#options;
    const own = node.registrations().filter(({ functionName }) => functions.has(functionName));
    const matches = matchSample(sample, own);
    if (matches.length === 0) report.unmatched(sample, [...functions]);
    for (const match of matches) {
      if (only === null || match.registration.functionName === only) await this.#try(sample, match, signal);
    }
  }

  async #try(sample: Sample, { registration, event }: Match, signal: AbortSignal): Promise<void> {
    const { node, report } = this.#options;
    const subject = { kind: 'registration', id: registration.spec.id } as const;
    report.tried(sample, await node.tryOut({ subject, event, signal }));
  }

  async #sendCommand(command: readonly string[], signal: AbortSignal): Promise<Reply> {
    await using door = await this.#options.connect();
    const [name = '', ...args] = command.map((each) => Buffer.from(each, 'latin1'));
    // A command that blocks would hold up everything behind it.
    const never = sleep(2 * SAMPLE_MS, null, { signal });
    never.catch(() => undefined);
    return await Promise.race([door.call(name.toString(), ...args), never]);
  }
}

function timedOut(): PlatformError<SchedulerErrorCode> {
  return new PlatformError('CALL_TIMED_OUT', `the sample did not end within ${SAMPLE_MS / 1_000} s`);
}
