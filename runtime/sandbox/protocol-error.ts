/**
 * A frame that breaks the protocol of messages.ts. Its own small class, because a sandbox process loads nothing of the
 * other layers; on the node `PlatformError.from(reason, 'SANDBOX_PROTOCOL')` makes the platform's error of it.
 */
export class ProtocolError extends Error {
  readonly code = 'SANDBOX_PROTOCOL';

  constructor(message: string) {
    super(message);
    this.name = 'ProtocolError';
  }
}
