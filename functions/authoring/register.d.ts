/** Arguments of `register`, reader by reader. */
export {};

declare global {
  /** Where and when executions run; see `RegisterOptions.mode`. */
  type ExecutionMode = 'sync' | 'async_local' | 'async';

  /** What is asked of a field; see `Filter`. */
  interface FilterOperators {
    /** Exactly this text, or a decimal number of this value. */
    is?: string | number | boolean;
    /** Text that begins so. */
    prefix?: string;
    /** A decimal number greater than this. */
    gt?: number;
    /** Greater than this, or equal. */
    gte?: number;
    /** Less than this. */
    lt?: number;
    /** Less than this, or equal. */
    lte?: number;
    /** False stands alone. */
    exists?: boolean;
    /** Anything but these; the field must be there. */
    not?: string | number | boolean | readonly (string | number | boolean | { prefix: string })[];
  }

  /** What a field must be: a value, which means `is`, or operators that all must hold. */
  type FilterCondition = string | number | boolean | FilterOperators;

  /**
   * Names and what must be true of each; under a name a list means that one of its conditions is enough. Names are fields of
   * entries; `key` and `event` of keys; `key`, `value` and `value.<member>` of items; `channel`, `pattern`, `message` and
   * `message.<member>` of messages; `schedule`, `at`, `tick` and `late` of ticks; positions of arguments of commands.
   * @example
   * const filter: Filter = { status: ['paid', 'settled'], amount: { gte: 100, lt: 1000 }, country: { not: 'XX' } };
   */
  type Filter = Readonly<Record<string, FilterCondition | readonly FilterCondition[]>>;

  /** Arguments of `register` that every reader has. */
  interface RegisterOptions {
    /**
     * Events that it does not match end as filtered, without a trip to the sandbox; of a list of patterns one is enough. Not for hooks.
     * @example
     * GB('StreamReader').foreach(bill).register({ prefix: 'orders:*', filter: { status: 'paid', amount: { gte: 100 } } });
     */
    filter?: Filter | readonly Filter[];
    /**
     * A bucket of `count` tokens for the whole fleet, into which `count` flow per `per` (milliseconds, or a text such as '1m'). Every start
     * of an event takes one. What is above the rate waits; calls are refused with `RATE_LIMITED`, messages without `durable`
     * are dropped. Not for hooks.
     * @example
     * GB('ListReader').foreach(send).register({ list: 'mails', rateLimit: { count: 100, per: '1m' } });
     */
    rateLimit?: {
      /** Starts within `per`, all nodes together; as many may come at once. */
      count: number;
      /** Milliseconds, or a text such as '1m'. */
      per: number | string;
    };
    /**
     * Executions of this registration that may run at once in the whole fleet, from 1 to 1,000,000. Default: what `maxInFlight` and the
     * limits allow on each node. Events wait; calls wait for the execution time-out, and then are refused with `CONCURRENCY_LIMITED`;
     * messages without `durable` wait in memory, `maxInFlight` of them. With 1 an execution is never beside another. Not for hooks.
     * @example
     * GB('ScheduleReader').foreach(rebuild).register({ every: '1m', concurrency: 1 });
     */
    concurrency?: number;
    /**
     * `async` (default): on any node of the fleet, through a queue. `async_local`: at once on the node that took the event,
     * many at a time. `sync`: one after another in the order of events; per stream for streams.
     * @example
     * GB('StreamReader').foreach(apply).register({ prefix: 'ledger', mode: 'sync' });
     */
    mode?: ExecutionMode;
    /** Default true: every result is made text, objects as JSON. False keeps numbers, lists and null as they are. */
    convertToStr?: boolean;
    /** Default true: results of all nodes come together before they are answered. */
    collect?: boolean;
    /**
     * Name of the registration, shown as `<function>/<id>`. Default: made of reader and prefix or trigger. Name registrations
     * whose prefix may change: position, statistics and dead letters stay with the name.
     */
    id?: string;
    /** Called whenever the registration has been installed in a sandbox; prepares what callbacks share. */
    onRegistered?: () => MaybePromise<void>;
  }

  /**
   * Arguments of `register` behind `GB('StreamReader')`.
   * @example
   * GB('StreamReader').foreach(store).register({
   *   prefix: 'orders:*', mode: 'async_local', batch: 100, duration: 50,
   *   onFailedPolicy: 'retry', onFailedRetryInterval: 2, maxAttempts: 10,
   * });
   */
  interface StreamRegisterOptions extends RegisterOptions {
    /** `orders:*` = every stream whose name begins so, also ones made later; without `*` one stream. Default `*`. */
    prefix?: string;
    /** Records per execution, 1 to 100,000. Default 1. */
    batch?: number;
    /** Milliseconds after which an incomplete batch runs. Default 0: at once with whatever is there. */
    duration?: number;
    /**
     * Where a new registration begins: `'0'` (default, the whole stream), `'$'` (what comes from now on), an entry id, or
     * a time in milliseconds since the epoch. A registration that already has a position goes on from there.
     */
    fromId?: string | number;
    /**
     * True deletes entries that every group of the stream has acknowledged. Default false.
     * @example
     * GB('StreamReader').foreach(send).register({ prefix: 'outbox', trimStream: true });
     */
    trimStream?: boolean;
    /**
     * When a callback throws: `continue` (default) moves the entry to the dead letters and goes on; `retry` tries that entry
     * again, then moves it to the dead letters; `abort` stops the registration, the entry stays pending.
     */
    onFailedPolicy?: 'continue' | 'retry' | 'abort';
    /** Seconds until the first retry; doubles with each, up to a minute. Default 1. */
    onFailedRetryInterval?: number;
    /** Attempts per entry before it goes to the dead letters; 0 = no cap. Default 5. */
    maxAttempts?: number;
    /** Entries in work at once on one node, mode `async_local` only. Default 10,000. */
    maxInFlight?: number;
    /** Milliseconds: entries older than this end as expired without running. Default: none. */
    maxAge?: number | null;
  }

  /**
   * Arguments of `register` behind `GB('CommandReader')`.
   * @example
   * GB('CommandReader').map(answer).register({ trigger: 'ask', mode: 'async_local', inorder: true });
   */
  interface CommandRegisterOptions extends RegisterOptions {
    /** Name for `RG.TRIGGER`, case-sensitive, one owner over all functions. */
    trigger: string;
    /** True: a call starts after the one before has ended. Default false; mode `sync` is always in order. */
    inorder?: boolean;
  }

  /**
   * Arguments of `register` behind `GB('KeysReader')`, which is also what `GB()` is.
   * @example
   * GB().foreach((r) => execute('XADD', 'changes', '*', 'key', r.key, 'event', r.event)).register({
   *   prefix: 'person:*', eventTypes: ['hset', 'del'], mode: 'sync',
   * });
   */
  interface KeysRegisterOptions extends RegisterOptions {
    /** `person:*` = every key whose name begins so; without `*` one key. Default `*`. */
    prefix?: string;
    /** Names of keyspace events, such as `['set', 'expired']`. Default: all but `keymiss`, which must be named. */
    eventTypes?: readonly string[] | null;
    /** What the key must be after the event; `empty` = it is gone. Default: anything. */
    keyTypes?: readonly ('string' | 'list' | 'hash' | 'set' | 'zset' | 'stream' | 'module' | 'empty')[] | null;
    /**
     * Only events that these commands have raised, sent through a door of the platform; the client's reply waits for the
     * function, which may change it with `overrideReply`.
     */
    commands?: readonly string[] | null;
    /** False: the record has neither `value` nor `type`, and nothing is read. Default true. */
    readValue?: boolean;
    /** True: what the function itself writes raises no events. Default false. */
    quiet?: boolean;
    /** Records per execution, 1 to 100,000. Default 1. */
    batch?: number;
    /** Milliseconds after which an incomplete batch runs. Default 0. */
    duration?: number;
    /** @see StreamRegisterOptions.onFailedPolicy */
    onFailedPolicy?: 'continue' | 'retry' | 'abort';
    /** Seconds until the first retry. Default 1. */
    onFailedRetryInterval?: number;
    /** Attempts per event before it goes to the dead letters; 0 = no cap. Default 5. */
    maxAttempts?: number;
    /** Events in work at once on one node, mode `async_local` only. Default 10,000. */
    maxInFlight?: number;
    /** Milliseconds: events older than this end as expired without running. Default: none. */
    maxAge?: number | null;
  }

  /**
   * Arguments of `register` behind `GB('CommandReader')` for a function that stands before a command of Redis. Its one result
   * is the client's reply; without `callNext` the command does not happen.
   * @example
   * GB('CommandReader').map((a) => callNext(...a.slice(1), 'seen', Date.now())).register({ hook: 'hset', mode: 'sync' });
   */
  interface HookRegisterOptions extends Omit<RegisterOptions, 'filter' | 'rateLimit' | 'concurrency'> {
    /** Name of the command, in any case. */
    hook: string;
    /** Only calls of which a key begins so. Default: all. */
    keyprefix?: string;
    /** True: a call starts after the one before has ended. Default false; mode `sync` is always in order. */
    inorder?: boolean;
  }

  /** Arguments about delivery that schedules, lists and durable channels share. */
  interface CapturedRegisterOptions extends RegisterOptions {
    /** When a callback throws. Default `retry`; see `StreamRegisterOptions.onFailedPolicy`. */
    onFailedPolicy?: 'continue' | 'retry' | 'abort';
    /** Seconds until the first retry; doubles with each, up to a minute. Default 1. */
    onFailedRetryInterval?: number;
    /** Attempts per event before it goes to the dead letters; 0 = no cap. Default 5. */
    maxAttempts?: number;
    /** Events in work at once on one node. Default 1,000. */
    maxInFlight?: number;
    /** Milliseconds, or a text such as '5m': events older than this end as expired without running. Default: none. */
    maxAge?: number | string | null;
  }

  /**
   * Arguments of `register` behind `GB('ScheduleReader')`: exactly one of `cron`, `every` and `at`. Mode is `async` unless
   * told otherwise: a tick runs on any node.
   * @example
   * GB('ScheduleReader').foreach(report).register({ cron: '0 6 * * 1-5', timeZone: 'Europe/Berlin' });
   * GB('ScheduleReader').foreach(sweep).register({ every: '30s', missed: 'skip' });
   * GB('ScheduleReader').foreach(launch).register({ at: '2030-01-31T12:00:00Z' });
   */
  interface ScheduleRegisterOptions extends CapturedRegisterOptions {
    /** Five fields, or six with seconds first; also `@hourly`, `@daily` and the like. */
    cron?: string;
    /** IANA name of the time zone that `cron` is meant in. Default `UTC`. */
    timeZone?: string;
    /** Milliseconds, or a text such as '5m'; 100 ms at least. Due at full multiples since the epoch. */
    every?: number | string;
    /** Once: a Date, ms since the epoch, or a text such as '2030-01-31T12:00:00Z'. */
    at?: Date | number | string;
    /**
     * Ticks that came due while no node ran, or the registration was paused. `once` (default): the newest runs, however late.
     * `skip`: the newest runs unless it is more than 30 s late. `all`: every one runs, oldest first, 10,000 at most.
     */
    missed?: 'skip' | 'once' | 'all';
  }

  /**
   * Arguments of `register` behind `GB('ListReader')`: a reliable work queue on lists that anyone pushes to. Mode is
   * `async_local` unless told otherwise.
   * @example
   * GB('ListReader').foreach(send).register({ lists: ['urgent', 'mails'], maxInFlight: 20, maxAttempts: 8 });
   */
  interface ListRegisterOptions extends CapturedRegisterOptions {
    /** One list. */
    list?: string;
    /** Several, the most urgent first: an item of a later list is taken only when the earlier ones are empty. */
    lists?: readonly string[];
    /** The end that items are taken from. Default `right`: LPUSH makes a queue; with `left` RPUSH does. */
    from?: 'left' | 'right';
    /** Records per execution, 1 to 100,000. Default 1. */
    batch?: number;
    /** Milliseconds after which an incomplete batch runs. Default 0. */
    duration?: number;
  }

  /**
   * Arguments of `register` behind `GB('PubSubReader')`. A message runs once in the fleet, or not at all: what is published
   * while no node listens is gone. Mode is `async_local` unless told otherwise.
   * @example
   * GB('PubSubReader').foreach(show).register({ channels: ['news'], patterns: ['chat:*'] });
   * GB('PubSubReader').foreach(store).register({ channels: ['orders'], durable: true, maxAttempts: 10 });
   */
  interface PubSubRegisterOptions extends CapturedRegisterOptions {
    /** Names of channels. */
    channels?: string | readonly string[];
    /** Globs, as PSUBSCRIBE takes them. A message that several match runs once, for the first; channels come first. */
    patterns?: string | readonly string[];
    /** True: the channels are sharded ones (SPUBLISH); without patterns. */
    sharded?: boolean;
    /**
     * True: a message that a node has heard is written to a stream first and has all guarantees from there on. Without it
     * it runs from memory, at most once: mode `async`, `duration`, `maxAge` and the arguments about retries are refused.
     */
    durable?: boolean;
    /** Records per execution, 1 to 100,000. Default 1. */
    batch?: number;
    /** Milliseconds after which an incomplete batch runs; with `durable`. Default 0. */
    duration?: number;
  }

  /** Order per key, in every mode. */
  interface OrderPerKey<Record> {
    /**
     * Names what a record belongs to. Records of different keys then run side by side, each as an execution of its own; those of one
     * key one after another over the whole fleet, in the order of the stream, or in which calls come to a node.
     * @example
     * GB('StreamReader').foreach(apply).register({ prefix: 'ledger', key: (r) => r.value.account ?? '' });
     */
    key?: (record: Record) => string | number | bigint | boolean;
  }
}
