/** Codes of the `runtime` layer; explained in runtime/README.md. */
export type RuntimeErrorCode =
  /** The function's own code threw. */
  | 'GUEST_ERROR'
  /** The source does not compile. */
  | 'GUEST_SYNTAX'
  /** A builder call with a wrong or misspelt argument. */
  | 'GUEST_ARGUMENT'
  | 'LIMIT_MEMORY'
  | 'LIMIT_CALL_TIME'
  | 'LIMIT_EXECUTION_TIME'
  | 'LIMIT_OUTPUT'
  | 'LIMIT_COMMANDS'
  | 'LIMIT_WAITS'
  | 'LIMIT_CONCURRENCY'
  /** Policy refused a command. */
  | 'COMMAND_FORBIDDEN'
  /** The sandbox process died. */
  | 'SANDBOX_DIED'
  /** The sandbox broke its protocol; it was killed. */
  | 'SANDBOX_PROTOCOL'
  | 'SANDBOX_QUARANTINED'
  | 'ATOMIC_REFUSED'
  | 'RUNTIME_CLOSED';
