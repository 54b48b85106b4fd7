/**
 * The platform's one error class. Every layer declares its own closed list of codes; a code is part of the public
 * interface and is explained in the layer's README (a test compares both).
 */
export interface PlatformErrorOptions {
  /** What was thrown below; kept for the log, never sent to a client. */
  readonly cause?: unknown;
  /** True when doing the same again later can succeed without anybody changing anything. Default false. */
  readonly retryable?: boolean;
  /** Machine-readable facts of the message (names, values, limits). */
  readonly details?: Readonly<Record<string, unknown>>;
}

/** An error with a stable code and a message that names the thing, the value and what to do. */
export class PlatformError<Code extends string = string> extends Error {
  readonly code: Code;
  readonly retryable: boolean;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(code: Code, message: string, options: PlatformErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'PlatformError';
    this.code = code;
    this.retryable = options.retryable ?? false;
    this.details = options.details ?? {};
  }

  /**
   * The only way an unknown thrown value becomes an error: a PlatformError stays what it is, an Error keeps its message
   * and becomes the cause, anything else is shown as text.
   */
  static from<Fallback extends string>(reason: unknown, fallback: Fallback): PlatformError {
    if (reason instanceof PlatformError) return reason;
    if (reason instanceof Error) return new PlatformError(fallback, reason.message, { cause: reason });
    return new PlatformError(fallback, String(reason), { cause: reason });
  }
}

/** Codes of the `functions` layer. */
export type FunctionsErrorCode =
  | 'ARGUMENT_INVALID'
  | 'ARTIFACT_INVALID'
  | 'ARTIFACT_TOO_LARGE'
  | 'FUNCTION_NOT_FOUND'
  | 'FUNCTION_EXISTS'
  | 'VERSION_NOT_FOUND'
  | 'REGISTRATION_NOT_FOUND'
  | 'REGISTRATION_CONFLICT'
  | 'MANIFEST_INVALID'
  | 'REGISTRY_CONFLICT'
  | 'VARIABLES_CHANGED'
  | 'VARIABLE_NOT_FOUND'
  | 'SECRET_MISSING'
  | 'SECRET_UNREADABLE'
  | 'SECRETS_KEY_MISSING'
  | 'REDIS_UNSUITABLE'
  | 'REDIS_URL_INVALID'
  | 'REDIS_UNREACHABLE'
  | 'REDIS_LINK_LOST'
  | 'REDIS_REPLY'
  | 'RESP_MALFORMED'
  | 'CROSS_SLOT';
