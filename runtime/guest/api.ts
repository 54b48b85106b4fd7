/** What the sandbox process may call in an isolate. Types only: both sides know this file. */
import type { SourcesSpec } from '../sandbox/messages.ts';

export interface GuestConfig {
  readonly callMs: number;
  readonly commandsPerEvent: number;
  readonly commandBytes: number;
  readonly outputBytes: number;
  readonly settings: Readonly<Record<string, string>>;
  /** Left out = time and chance of the machine. */
  readonly sources?: SourcesSpec;
}

/**
 * News of one call: `[more, batch, numbers, failed, text, batch, numbers, failed, text, …]`. `more`: 1 when the call ended
 * only because its time slice was over, so that `go` must be called. `numbers` and `text` are what `encodePackedProgress`
 * takes; `failed` are the positions that the notes within `text` report as failed.
 */
export type ToldNews = readonly (number | string | Uint32Array)[];

/** Or only the text of one batch, when there is nothing `more` and nobody failed: then its numbers are in the shared memory. */
export type GuestNews = ToldNews | string;

export interface GuestApi {
  /** JSON of `{ registrations, configuration, logs }`: what evaluating the source left. */
  report(): string;
  /** True when evaluating failed with this message because of a wrong builder call. */
  isComplaint(message: string): boolean;
  /** Calls what was given as `onRegistered`; errors are logged. */
  registered(): void;
  /** `flags`: sum of `RunFlag`s. */
  run(
    batch: number,
    registration: number,
    flags: number,
    executionSize: number,
    entryCount: number,
    key: string,
    hashtag: string,
    payload: string,
  ): GuestNews;
  /**
   * Makes the stage that a JSON `StageOpening` describes. The answer is '' or the JSON of an error report.
   */
  openStage(opening: string): string;
  closeStage(stage: number): void;
  /** Clock and dice from now on: JSON of a `SourcesSpec`. */
  steer(sources: string): void;
  /** What can be read by name from now on: JSON of `{ env, secrets }`, each an object of texts. */
  supply(variables: string): void;
  /** Gives a stage something to do. `flags`: `wantResults` and `ascii`; `source`: 0 the payload, 1 its generator, 2 its accumulators. */
  feed(
    batch: number,
    stage: number,
    flags: number,
    source: number,
    entryCount: number,
    key: string,
    hashtag: string,
    payload: string,
  ): GuestNews;
  /** `text`: spelled out, as the payload of `run`. */
  replies(batch: number, round: number, text: string): GuestNews;
  session(batch: number, session: number, text: string): GuestNews;
  /** `positions`: decimal numbers, each with a comma behind it. */
  cancel(batch: number, positions: string): GuestNews;
  go(): GuestNews;
  /**
   * The news of the last call once more, because an unhandled rejection took their place on the way out; it is logged.
   * Null when that call did not come to its end.
   */
  again(rejection: string): ToldNews | null;
}

/** Values of `RunFlag`, which both sides declare because no code crosses the wall. */
export interface RunFlags {
  readonly stream: 1;
  readonly ordered: 2;
  readonly wantResults: 4;
  /** The payload has no byte above 0x7f. */
  readonly ascii: 8;
  readonly stopAtFailure: 16;
  readonly keys: 64;
  readonly hook: 128;
}

/** Places in the shared memory, behind those of `BlameField`; declared by both sides, too. */
export interface OutboxFields {
  readonly batch: 6;
  /** How many numbers there are. */
  readonly count: 7;
  /** Where they begin. */
  readonly numbers: 8;
}
