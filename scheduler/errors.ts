/** Codes of the `scheduler` layer; explained in scheduler/README.md. */
export type SchedulerErrorCode =
  | 'CONFIG_INVALID'
  | 'TRIGGER_NOT_FOUND'
  | 'COMMAND_SYNTAX'
  | 'PERMISSION_DENIED'
  | 'NOT_CONVERGED'
  | 'NODE_DRAINING'
  | 'SLOT_LOST'
  /** The registration that a command belongs to is paused or was stopped. */
  | 'REGISTRATION_STOPPED'
  /** No node answered a command in time. */
  | 'CALL_TIMED_OUT'
  /** Every node that tried to run a command failed to, for reasons outside the function. */
  | 'CALL_FAILED'
  /** A command came above the rate that its registration allows. */
  | 'RATE_LIMITED'
  /** A command waited too long for one of the places its registration has in the fleet. */
  | 'CONCURRENCY_LIMITED'
  | 'PROTOCOL_ERROR'
  | 'EMBEDDED_REDIS_FAILED'
  | 'DEAD_LETTER_NOT_FOUND'
  /** There is no execution of this id (any more). */
  | 'EXECUTION_NOT_FOUND'
  | 'EXECUTION_RUNNING'
  /**
   * An execution ended before its results were there: it was aborted, its registration was removed with ABORTPENDING, or
   * nobody worked on it.
   */
  | 'EXECUTION_ABORTED'
  | 'EXECUTION_PART_LOST'
  /** Results, or records between two stages, are larger than the platform keeps. */
  | 'RESULTS_TOO_LARGE'
  /** The CLI cannot reach the RESP door. */
  | 'DOOR_UNREACHABLE'
  /** The HTTP door has nothing at a path. */
  | 'ROUTE_NOT_FOUND'
  | 'METHOD_NOT_ALLOWED'
  /** A body of a type that a route does not take. */
  | 'MEDIA_TYPE_UNSUPPORTED'
  | 'BODY_TOO_LARGE'
  /** A request without a token, or with one that is not known. */
  | 'UNAUTHENTICATED'
  /** A request that a browser sends for a page that is not the door's own. */
  | 'ORIGIN_REFUSED'
  | 'TOO_MANY_CLIENTS'
  | 'TOKEN_NOT_FOUND'
  | 'STREAM_NOT_FOUND'
  /** A file that is to be imported is damaged, or no export. */
  | 'REGISTRY_FILE_INVALID'
  /** Functions to be imported are on the server already, and differ. */
  | 'IMPORT_CONFLICT'
  /** A stream has no entry of an id (any more). */
  | 'ENTRY_NOT_FOUND'
  /** An idempotency key came again with another call. */
  | 'IDEMPOTENCY_MISMATCH'
  /** The node on which a call with an idempotency key ran has died. */
  | 'CALL_INTERRUPTED'
  /** A fault of the platform itself. */
  | 'INTERNAL'
  // Of the testing kit.
  | 'DELIVERY_FAILED'
  | 'NOT_RETRY_SAFE'
  /** A function sent a command for which its test gives no reply. */
  | 'REPLY_MISSING';
