import type { RedisAccess } from '../redis/redis-access.ts';
import { coalesce } from './coalesce.ts';
import type { RegistrySnapshot } from './registry.ts';
import type { RegistryLog, RegistryStorage, StoredSnapshot } from './registry-storage.ts';
import { createWatchers, type SnapshotListener } from './watchers.ts';

/** A connection for SUBSCRIBE alone; the feed closes it. */
export type OpenSubscriber = () => ReturnType<RedisAccess['openClient']>;

export interface SnapshotFeedOptions {
  readonly storage: RegistryStorage;
  readonly openSubscriber: OpenSubscriber;
  readonly channel: string;
  /** Period of looking at the revision, should a message be lost, and of retrying a listener that failed, ms. */
  readonly pollMs: number;
  /** Another registry is there than before (FLUSHALL): names and numbers may mean something else from now on. */
  readonly onWiped: () => void;
  readonly log: RegistryLog;
}

/** Keeps the newest snapshot of the registry at hand and tells those who want to know. */
export interface SnapshotFeed extends AsyncDisposable {
  /** Empty until the first read has come back. */
  current(): RegistrySnapshot;
  /** Resolves with a snapshot at least as new as the registry at the moment of the call. */
  refresh(): Promise<RegistrySnapshot>;
  /** @see Registry.watch; a listener that rejects is called again after the poll period. */
  watch(listener: SnapshotListener): void;
}

const EMPTY: StoredSnapshot = { revision: 0, epoch: '', functions: new Map(), registrations: new Map() };

export function createSnapshotFeed(options: SnapshotFeedOptions): SnapshotFeed {
  const { storage, log } = options;
  let newest: StoredSnapshot | null = null;
  let closed = false;
  const watchers = createWatchers(() => newest, log);
  const reader = coalesce(async (): Promise<RegistrySnapshot> => {
    const present = newest;
    const read = await storage.read();
    newest = read;
    if (present !== null && present.revision > 0 && read.epoch !== present.epoch) wiped(present);
    watchers.wake();
    return read;
  });
  /** Everything of the former registry is stopped before anything of the new one begins. */
  const wiped = ({ functions, registrations }: RegistrySnapshot): void => {
    const facts = { functions: functions.size, registrations: registrations.size };
    log.warn(facts, 'the registry has vanished from Redis (FLUSHALL?): what was registered stops; deploy it again');
    options.onWiped();
    watchers.restart({ ...EMPTY });
  };
  const refreshQuietly = (): void => {
    reader.run().catch((reason: unknown) => {
      if (!closed) log.warn({ err: reason }, 'the registry could not be read; it is tried again');
    });
  };

  const subscriber = subscribe(options, refreshQuietly);
  const timer = setInterval(() => {
    if (!reader.busy) refreshQuietly();
  }, options.pollMs);
  refreshQuietly();

  return {
    current: () => newest ?? EMPTY,
    refresh: () => reader.run(),
    watch: (listener) => watchers.add(listener),
    async [Symbol.asyncDispose]() {
      closed = true;
      clearInterval(timer);
      subscriber.off('message', refreshQuietly).off('ready', refreshQuietly);
      subscriber.disconnect();
      await watchers[Symbol.asyncDispose]();
    },
  };
}

/** Messages only say that there is something to read; what was missed while disconnected is made up for at `ready`. */
function subscribe(options: SnapshotFeedOptions, onNews: () => void): ReturnType<OpenSubscriber> {
  const subscriber = options.openSubscriber();
  subscriber.on('message', onNews);
  subscriber.on('ready', onNews);
  subscriber.on('error', ignore);
  subscriber.subscribe(options.channel).catch((reason: unknown) => {
    if (subscriber.status !== 'end') options.log.warn({ err: reason }, 'no news of the registry; it is polled');
  });
  return subscriber;
}

function ignore(): void {
  // Polling does what a message would have done, and the client reconnects by itself.
}
