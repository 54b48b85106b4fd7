import type { Logger } from 'pino';
import type { RedisAccess } from '#functions';
import type { SchedulerKeys } from '../keys.ts';

/** Options set at run time, the same on every node: those of RedisGears that the platform has too, and the users' own. */
export interface Options extends AsyncDisposable {
  /** What the fleet has set, as of now. */
  read(): Promise<ReadonlyMap<string, string>>;
  /** The same, at most a second old. */
  latest(): ReadonlyMap<string, string>;
  set(name: string, value: string): Promise<void>;
  /**
   * What `configGet` answers: the users' own options, before them in rank those set for the fleet. One object that changes in
   * place, at most a second behind the fleet; a function sees what was there when its isolate was made.
   */
  readonly forFunctions: Readonly<Record<string, string>>;
}

export interface OptionsOptions {
  readonly access: Pick<RedisAccess, 'client'>;
  readonly keys: Pick<SchedulerKeys, 'options'>;
  /** Names that are the platform's own, and so not for functions. */
  readonly reserved: ReadonlySet<string>;
  /** What functions see of this node's configuration where the fleet has set nothing. */
  readonly presets: Readonly<Record<string, string>>;
  readonly log: Logger;
}

const POLL_MS = 1_000;

export function createOptions({ access, keys, reserved, presets, log }: OptionsOptions): Options {
  const forFunctions: Record<string, string> = { ...presets };
  let latest: ReadonlyMap<string, string> = new Map();
  const apply = (all: ReadonlyMap<string, string>): void => {
    latest = all;
    for (const name of Object.keys(forFunctions)) if (!all.has(name)) delete forFunctions[name];
    Object.assign(forFunctions, presets);
    for (const [name, value] of all) if (!reserved.has(name)) forFunctions[name] = value;
  };
  const read = async (): Promise<ReadonlyMap<string, string>> => {
    const all = new Map(Object.entries(await access.client.hgetall(keys.options)));
    apply(all);
    return all;
  };
  let polling: Promise<unknown> = Promise.resolve();
  const poll = (): void => {
    polling = read().catch((error: unknown) => log.debug({ err: error }, 'options could not be read'));
  };
  poll();
  const timer = setInterval(poll, POLL_MS).unref();
  return {
    forFunctions,
    read,
    latest: () => latest,
    async set(name, value) {
      await access.client.hset(keys.options, name, value);
      latest = new Map([...latest, [name, value]]);
      if (!reserved.has(name)) forFunctions[name] = value;
    },
    async [Symbol.asyncDispose]() {
      clearInterval(timer);
      // A question that waits for Redis to come back is answered, or not, when the client is closed.
      void polling;
    },
  };
}
