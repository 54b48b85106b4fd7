import type { StreamBatch } from './resp/stream-reply.ts';

/**
 * A connection that moves RESP2 text and does not look inside: the hot path. Text is latin1, one character per byte.
 * ioredis connects, authenticates, does TLS and follows Sentinel; after that the link speaks on its socket alone.
 */
export interface RawLink extends AsyncDisposable {
  /**
   * Writes `commands` (any number of complete RESP commands) and resolves with the text of exactly `replies` complete
   * replies, in order; error replies are part of that text. Calls are answered in the order they were made, all of one
   * tick leave in one write. While the link is down, calls wait for it (outages of any length).
   * Rejects with REDIS_LINK_LOST (retryable) when the connection broke after the commands were written: nobody knows
   * whether they ran.
   */
  send(commands: string, replies: number): Promise<string>;
  /**
   * As `send` with one XREADGROUP or XREAD, but its reply comes split into streams and entries, which were found while it was
   * framed; none for a nil reply. Rejects with REDIS_REPLY, which has the server's words, on an error reply.
   */
  read(command: string): Promise<readonly StreamBatch[]>;
  /** True between `ready` and the loss of the connection. */
  readonly connected: boolean;
  /** Called on every (re)connection, before waiting calls are written. Returns a function that removes the listener. */
  onReady(listener: () => void): () => void;
  /**
   * Drops the present connection; calls in flight reject with REDIS_LINK_LOST, then it connects anew. For a blocking
   * read that should end, or one that has not answered in time.
   */
  reset(): void;
}

/** A link that sends each command of a text to the shard that owns its first key: one link per shard behind it. */
export interface CommandPipe extends AsyncDisposable {
  /**
   * Like `RawLink.send`, for commands of any shards: replies come back in the order of the commands. On a single server
   * the text passes as it is. On a cluster it is split by slot and MOVED/ASK are followed; a command whose keys are in
   * different slots gets an error reply that names them.
   * @param groups pairs of [first, last] command positions that must run as one MULTI/EXEC, ascending, not overlapping.
   * Within a group every command's reply is the one EXEC gave; a refused transaction gives each of them its error.
   */
  send(commands: string, replies: number, groups?: readonly (readonly [number, number])[]): Promise<string>;
}
