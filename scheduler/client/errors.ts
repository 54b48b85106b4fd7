/** Codes of the client's own; explained in README.md. Others are those of the platform, or of Redis (`NOPERM`). */
export type ClientErrorCode =
  /** What was given as `redis` can send no commands. */
  | 'CLIENT_INVALID'
  | 'ARGUMENT_INVALID'
  /** A function that cannot be sent as its source. */
  | 'FUNCTION_UNSENDABLE'
  /** Functions use names of the program around them. */
  | 'CLOSURE_REFUSED'
  | 'VALUE_UNSENDABLE'
  /** The function's own code threw. */
  | 'GUEST_ERROR'
  | 'RUN_TIMED_OUT'
  | 'CONNECTION_FAILED'
  /** What answers is no platform. */
  | 'PLATFORM_MISSING'
  | 'REPLY_UNKNOWN'
  /** The platform said no, in words that carry no code. */
  | 'REFUSED';

/** A call of the builder, as written: steps count from 1, `run` and `register` come behind them, `with.<name>` is a function given to `with`. */
export interface StepPlace {
  readonly number: number;
  readonly operation: string;
}

/** A place in the source of a function as `toString` gives it; both count from 1. */
export interface SourcePosition {
  readonly line: number;
  readonly column: number;
}

export interface RemoteErrorOptions {
  readonly cause?: unknown;
  /** The step it is about, where there is one. */
  readonly step?: StepPlace | undefined;
  /** Where in the step's function. */
  readonly position?: SourcePosition | undefined;
  /** Facts of the message, such as names. */
  readonly details?: Readonly<Record<string, unknown>>;
}

/** The one error of this package. `code` is stable: one of `ClientErrorCode`, of the platform, or of Redis. */
export class RemoteError extends Error {
  readonly code: string;
  readonly step: StepPlace | undefined;
  readonly position: SourcePosition | undefined;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(code: ClientErrorCode | (string & {}), message: string, options: RemoteErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'RemoteError';
    this.code = code;
    this.step = options.step;
    this.position = options.position;
    this.details = options.details ?? {};
  }
}

/** `step 2 (map)`, `with.tax` for a function that was given to `with` as `tax`. */
export function showStep({ number, operation }: StepPlace): string {
  const isNamed = operation === 'run' || operation === 'register' || operation.startsWith('with.');
  return isNamed ? operation : `step ${number} (${operation})`;
}
