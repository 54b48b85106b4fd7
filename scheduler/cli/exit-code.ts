/** Exit codes of every command; docs/cli.md explains them (a test compares both). */
export const ExitCode = {
  /** Done. */
  ok: 0,
  /** The command was understood and did not succeed. */
  failed: 1,
  /** Wrong command line or configuration: nothing was tried. */
  usage: 2,
  /** No connection to the platform or to Redis. */
  unreachable: 3,
  /** A function, version, registration, trigger, execution, dead letter, stream, entry or token of that name does not exist. */
  notFound: 4,
  /** The platform refused: credentials, permission, or a state that forbids it. */
  refused: 5,
} as const;
export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode];

/** What each code means, for help and documents. */
export const EXIT_CODE_MEANINGS: readonly (readonly [ExitCode, string])[] = [
  [ExitCode.ok, 'done'],
  [ExitCode.failed, 'understood, but it did not succeed; the message says why'],
  [ExitCode.usage, 'wrong command line or configuration; nothing was tried'],
  [ExitCode.unreachable, 'no connection to the platform (or, for `start`, to Redis)'],
  [
    ExitCode.notFound,
    'no such function, version, registration, trigger, stream, entry, execution, dead letter or token',
  ],
  [ExitCode.refused, 'refused: credentials, permission, or a state that forbids it'],
];

/** Codes of errors, ours and Redis' own, that end with something else than 1. */
const BY_ERROR_CODE: Readonly<Record<string, ExitCode>> = {
  CONFIG_INVALID: ExitCode.usage,
  ARGUMENT_INVALID: ExitCode.usage,
  COMMAND_SYNTAX: ExitCode.usage,
  REDIS_URL_INVALID: ExitCode.usage,
  REGISTRY_FILE_INVALID: ExitCode.usage,
  DOOR_UNREACHABLE: ExitCode.unreachable,
  REDIS_UNREACHABLE: ExitCode.unreachable,
  REDIS_LINK_LOST: ExitCode.unreachable,
  EMBEDDED_REDIS_FAILED: ExitCode.unreachable,
  FUNCTION_NOT_FOUND: ExitCode.notFound,
  VERSION_NOT_FOUND: ExitCode.notFound,
  REGISTRATION_NOT_FOUND: ExitCode.notFound,
  EXECUTION_NOT_FOUND: ExitCode.notFound,
  TRIGGER_NOT_FOUND: ExitCode.notFound,
  DEAD_LETTER_NOT_FOUND: ExitCode.notFound,
  VARIABLE_NOT_FOUND: ExitCode.notFound,
  STREAM_NOT_FOUND: ExitCode.notFound,
  TOKEN_NOT_FOUND: ExitCode.notFound,
  ENTRY_NOT_FOUND: ExitCode.notFound,
  PERMISSION_DENIED: ExitCode.refused,
  NODE_DRAINING: ExitCode.refused,
  REDIS_UNSUITABLE: ExitCode.refused,
  REGISTRATION_CONFLICT: ExitCode.refused,
  IMPORT_CONFLICT: ExitCode.refused,
  REGISTRATION_STOPPED: ExitCode.refused,
  VARIABLES_CHANGED: ExitCode.refused,
  SECRETS_KEY_MISSING: ExitCode.refused,
  SECRET_MISSING: ExitCode.refused,
  SECRET_UNREADABLE: ExitCode.refused,
  NOAUTH: ExitCode.refused,
  NOPERM: ExitCode.refused,
  WRONGPASS: ExitCode.refused,
};

/** Exit code for an error code; 1 for those that have no own. */
export function exitCodeOf(errorCode: string): ExitCode {
  return BY_ERROR_CODE[errorCode] ?? ExitCode.failed;
}
