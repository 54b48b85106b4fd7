import type { Cluster, Redis } from 'ioredis';

/**
 * Waits for `reply`; when a connection that claims to be up has said nothing for `silenceMs`, it is dropped and made anew,
 * so that the client sends the command again. A half-open connection would otherwise never answer.
 */
export async function withSilenceWatch<T>(client: Redis | Cluster, reply: Promise<T>, silenceMs: number): Promise<T> {
  const timer = setInterval(() => {
    // A client that is connecting has a retry timer of its own, which disconnect() would cancel.
    if (client.status === 'ready') client.disconnect(true);
  }, silenceMs).unref(); // A node that stops while Redis is away never hears of its last beat.
  try {
    return await reply;
  } finally {
    clearInterval(timer);
  }
}
