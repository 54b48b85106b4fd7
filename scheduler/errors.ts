/** Codes of the `scheduler` layer; explained in scheduler/README.md. */
export type SchedulerErrorCode =
  | 'CONFIG_INVALID'
  | 'TRIGGER_NOT_FOUND'
  | 'COMMAND_UNKNOWN'
  | 'COMMAND_SYNTAX'
  | 'PERMISSION_DENIED'
  | 'NOT_CONVERGED'
  | 'NODE_DRAINING'
  | 'SLOT_LOST'
  | 'PROTOCOL_ERROR'
  | 'EMBEDDED_REDIS_FAILED'
  | 'DEAD_LETTER_NOT_FOUND'
  | 'NOT_IMPLEMENTED_HERE';
