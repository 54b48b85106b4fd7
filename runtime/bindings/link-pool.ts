import { PlatformError, type RawLink, type Shard } from '#functions';
import type { RuntimeErrorCode } from '../errors.ts';

export interface LinkPoolOptions {
  readonly open: (shard: Shard) => RawLink;
  readonly linksPerShard: number;
  /** Longest wait for a free link, ms. */
  readonly waitMs: number;
}

/** A link that is one session's own until released. */
export interface LinkLease {
  /** As `RawLink.send`, but rejects with REDIS_LINK_LOST as soon as the connection is not the one the lease began with. */
  send(commands: string, replies: number): Promise<string>;
  release(): void;
}

/** Connections of their own for those who need connection state, such as WATCH. */
export interface LinkPool extends AsyncDisposable {
  /** Rejects with ATOMIC_REFUSED when no link became free in time, RUNTIME_CLOSED after dispose. */
  acquire(shard: Shard): Promise<LinkLease>;
}

interface PooledLink {
  readonly link: RawLink;
  /** Raised with every connection: state kept by the server does not survive one. */
  epoch: number;
}

interface ShardLinks {
  readonly free: PooledLink[];
  readonly waiting: ((link: PooledLink) => void)[];
  open: number;
}

/** At most `linksPerShard` connections per shard, opened on first use. */
export function createLinkPool(options: LinkPoolOptions): LinkPool {
  const shards = new Map<string, ShardLinks>();
  const all: PooledLink[] = [];
  let closed = false;

  const openLink = (shard: Shard): PooledLink => {
    const pooled: PooledLink = { link: options.open(shard), epoch: 0 };
    pooled.link.onReady(() => {
      pooled.epoch += 1;
    });
    all.push(pooled);
    return pooled;
  };
  const acquireLink = async (shard: Shard, links: ShardLinks): Promise<PooledLink> => {
    const free = links.free.pop();
    if (free) return free;
    if (links.open < options.linksPerShard) {
      links.open += 1;
      return openLink(shard);
    }
    return await nextFree(links, options.waitMs);
  };

  return {
    async acquire(shard) {
      if (closed) throw new PlatformError<RuntimeErrorCode>('RUNTIME_CLOSED', 'the runtime is closed');
      const links = shards.get(shard.id) ?? { free: [], waiting: [], open: 0 };
      shards.set(shard.id, links);
      return leaseOf(await acquireLink(shard, links), links);
    },
    async [Symbol.asyncDispose]() {
      closed = true;
      await Promise.allSettled(all.map(({ link }) => link[Symbol.asyncDispose]()));
    },
  };
}

function nextFree(links: ShardLinks, waitMs: number): Promise<PooledLink> {
  return new Promise((resolve, reject) => {
    const taken = (link: PooledLink): void => {
      clearTimeout(timer);
      resolve(link);
    };
    const timer = setTimeout(() => {
      links.waiting.splice(links.waiting.indexOf(taken), 1);
      reject(
        new PlatformError<RuntimeErrorCode>(
          'ATOMIC_REFUSED',
          `no connection for atomic(...) became free within ${waitMs} ms; too many of them run at once`,
          { retryable: true },
        ),
      );
    }, waitMs);
    links.waiting.push(taken);
  });
}

function leaseOf(pooled: PooledLink, links: ShardLinks): LinkLease {
  let epoch = -1;
  let released = false;
  return {
    async send(commands, replies) {
      // A link that is down would wait and go on without the WATCH that came before.
      const stale = epoch >= 0 && (epoch !== pooled.epoch || !pooled.link.connected);
      if (released || stale) throw lost();
      const reply = await pooled.link.send(commands, replies);
      // The first send may have waited for the connection; from then on it has to stay the same.
      if (epoch < 0) epoch = pooled.epoch;
      else if (epoch !== pooled.epoch) throw lost();
      return reply;
    },
    release() {
      if (released) return;
      released = true;
      const next = links.waiting.shift();
      if (next) next(pooled);
      else links.free.push(pooled);
    },
  };
}

function lost(): PlatformError {
  return new PlatformError('REDIS_LINK_LOST', 'the connection of the transaction broke before it was committed', {
    retryable: true,
  });
}
