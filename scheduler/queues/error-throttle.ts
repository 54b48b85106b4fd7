import type { Logger } from 'pino';

/** Logs the first of many similar errors at once and then at most one line per `everyMs`, with the number in between. */
export function createErrorThrottle(log: Logger, message: string, everyMs = 5_000): (error: unknown) => void {
  let quietUntil = 0;
  let suppressed = 0;
  return (error) => {
    const now = performance.now();
    if (now < quietUntil) {
      suppressed++;
      return;
    }
    log.warn({ err: error, suppressed }, message);
    quietUntil = now + everyMs;
    suppressed = 0;
  };
}
