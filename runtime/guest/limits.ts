/** Limits of the version, as the node handed them over. */
export interface GuestLimits {
  readonly commandsPerEvent: number;
  readonly commandBytes: number;
  readonly outputBytes: number;
}
