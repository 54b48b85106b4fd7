/**
 * Names a function has at hand inside ReGears. Nothing is imported: they are there when the script is evaluated.
 *
 * In an editor, write `/// <reference types="regears/functions" />` at the top of the file, or name `regears/functions`
 * under `types` in tsconfig.json.
 *
 * @example
 * new GearsBuilder('StreamReader')
 *   .filter((r) => r.value.action === 'click')
 *   .foreach(async (r) => { await execute('HINCRBY', `clicks:{${r.value.user}}`, r.value.page, 1); })
 *   .register({ prefix: 'events:*', mode: 'async_local', batch: 100 });
 */
export {};

declare global {
  /** A value or a promise of it: every callback may be async. */
  type MaybePromise<T> = T | Promise<T>;

  /**
   * An entry of a stream, as callbacks behind `GB('StreamReader')` get it.
   * @example
   * GB('StreamReader').foreach((r) => log(`${r.key} ${r.id} ${r.value.user}`)).register({ prefix: 'events:*' });
   */
  interface StreamRecord {
    /** Name of the stream. */
    readonly key: string;
    /** `<ms>-<sequence>`. */
    readonly id: string;
    /**
     * Field → value. A repeated field keeps its last value. A value that is not UTF-8 arrives as `Uint8Array`; a callback
     * that expects such values takes a `BinaryStreamRecord`.
     */
    readonly value: Readonly<Record<string, string>>;
  }

  /** A stream entry with fields that need not be text. */
  interface BinaryStreamRecord {
    /** Name of the stream. */
    readonly key: string;
    /** `<ms>-<sequence>`. */
    readonly id: string;
    /** Field → value; what is not UTF-8 is a `Uint8Array`. */
    readonly value: Readonly<Record<string, string | Uint8Array>>;
  }

  /**
   * Arguments of `RG.TRIGGER`, the trigger's name first.
   * @example
   * GB('CommandReader').map(([, name]) => `Hello ${name}`).register({ trigger: 'greet' });
   */
  type CommandRecord = readonly string[];

  /** What `localgroupby` makes of the records of one key. */
  interface GroupRecord<Value> {
    /** What the extractor gave for all of them. */
    readonly key: string;
    /** What the reducer made of them. */
    readonly value: Value;
  }

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
   * A tick of a schedule, as callbacks behind `GB('ScheduleReader')` get it.
   * @example
   * GB('ScheduleReader').foreach((r) => log(`tick ${r.tick}, ${r.late} ms late`)).register({ every: '5m' });
   */
  interface TickRecord {
    /** Id of the registration. */
    readonly schedule: string;
    /** When it was due, ms since the epoch. */
    readonly at: number;
    /** Number of the tick, from 1, over all versions. */
    readonly tick: number;
    /** How long after `at` it was taken up, ms. */
    readonly late: number;
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
   * An item of a list, as callbacks behind `GB('ListReader')` get it.
   * @example
   * GB('ListReader').foreach((r) => work(JSON.parse(r.value))).register('jobs');
   */
  interface ItemRecord {
    /** Name of the list it was pushed to. */
    readonly key: string;
    /** An item that is not UTF-8 arrives as `Uint8Array`; a callback that expects such items takes a `BinaryItemRecord`. */
    readonly value: string;
  }

  /** An item that need not be text. */
  interface BinaryItemRecord {
    /** Name of the list it was pushed to. */
    readonly key: string;
    /** The item; what is not UTF-8 is a `Uint8Array`. */
    readonly value: string | Uint8Array;
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
   * A published message, as callbacks behind `GB('PubSubReader')` get it.
   * @example
   * GB('PubSubReader').foreach((r) => log(`${r.channel}: ${r.message}`)).register('news');
   */
  interface MessageRecord {
    /** Where it was published. */
    readonly channel: string;
    /** The pattern that matched; null when the channel was named itself. */
    readonly pattern: string | null;
    /** A message that is not UTF-8 arrives as `Uint8Array`. */
    readonly message: string;
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

  /** Order per key, for mode `sync`. */
  interface OrderPerKey<Record> {
    /**
     * Mode `sync`: names what a record belongs to. Records of different keys then run side by side, each as an execution of its own;
     * those of one key one after another, in the order of the stream.
     * @example
     * GB('StreamReader').foreach(apply).register({ prefix: 'ledger', mode: 'sync', key: (r) => r.value.account ?? '' });
     */
    key?: (record: Record) => string | number | bigint | boolean;
  }

  /** Reader name → what its records are and what `register` takes. */
  interface Readers {
    /** Ticks of a schedule. */
    ScheduleReader: {
      record: TickRecord;
      register:
        | [options: ScheduleRegisterOptions & OrderPerKey<TickRecord>]
        | [cron: string, options?: Omit<ScheduleRegisterOptions, 'cron'> & OrderPerKey<TickRecord>];
    };
    /** Items of lists, each taken once. */
    ListReader: {
      record: ItemRecord;
      register:
        | [options: ListRegisterOptions & OrderPerKey<ItemRecord>]
        | [list: string, options?: Omit<ListRegisterOptions, 'list' | 'lists'> & OrderPerKey<ItemRecord>];
    };
    /** Messages of channels. */
    PubSubReader: {
      record: MessageRecord;
      register:
        | [options: PubSubRegisterOptions & OrderPerKey<MessageRecord>]
        | [channel: string, options?: Omit<PubSubRegisterOptions, 'channels'> & OrderPerKey<MessageRecord>];
    };
    /** Entries of streams. */
    StreamReader: {
      record: StreamRecord;
      register:
        | [options?: StreamRegisterOptions & OrderPerKey<StreamRecord>]
        | [prefix: string, options?: Omit<StreamRegisterOptions, 'prefix'> & OrderPerKey<StreamRecord>];
    };
    /** Calls of `RG.TRIGGER`, and commands that hooks stand before. */
    CommandReader: { record: CommandRecord; register: [options: CommandRegisterOptions | HookRegisterOptions] };
    /** Events of keys. The reader of `GB()`. */
    KeysReader: {
      record: KeyRecord;
      register:
        | [options?: KeysRegisterOptions & OrderPerKey<KeyRecord>]
        | [prefix: string, options?: Omit<KeysRegisterOptions, 'prefix'> & OrderPerKey<KeyRecord>];
    };
  }

  /**
   * A key, as callbacks behind `GB('KeysReader')` get it.
   * @example
   * GB().filter((r) => r.type === 'hash').map((r) => r.value.name).run('person:*');
   */
  // biome-ignore lint/suspicious/noExplicitAny: what a key holds is known to its author only; name it: KeyRecord<{ age: string }>.
  interface KeyRecord<Value = any> {
    /** Name of the key. */
    readonly key: string;
    /**
     * String → text; hash → object; list → list; else null. Text that is not UTF-8 is a `Uint8Array`. Missing with
     * `readValue: false`, as `type`.
     */
    readonly value: Value;
    /** `string`, `hash`, `list`, `set`, `zset`, `module`, `unknown` (a stream) or `empty` (no such key any more). */
    readonly type: string;
    /** What happened to the key; null in a run. */
    readonly event: string | null;
  }

  /** Arguments of `run` that every reader has. */
  interface RunOptions {
    /** `async` (default): on every shard. `async_local`: on the shard that was asked only. */
    mode?: 'async' | 'async_local';
    /** Default true: every result is made text, objects as JSON. False keeps numbers, lists and null as they are. */
    convertToStr?: boolean;
    /** Default true: results of all shards come together before they are answered. */
    collect?: boolean;
    /** Shown with the execution. */
    description?: string;
  }

  /** Arguments of `run` behind `GB('KeysOnlyReader')`. */
  interface KeysOnlyRunOptions extends RunOptions {
    /** True: the pattern is the name of one key. Default false. */
    noScan?: boolean;
    /** COUNT of SCAN. Default 1000. */
    count?: number;
  }

  /** Arguments of `run` behind `GB('KeysReader')`. */
  interface KeysRunOptions extends KeysOnlyRunOptions {
    /** False: records have neither value nor type, and nothing but names is read. Default true. */
    readValue?: boolean;
  }

  /** Arguments of `run` behind `GB('StreamReader')`. */
  interface StreamRunOptions extends RunOptions {
    /** Only entries behind this one. Default: from the first. */
    fromId?: string;
    /** Entries up to this one, which is among them. Default: to the last. */
    untilId?: string;
  }

  /**
   * What a generator reader is given: records are taken from the iterator it returns, or, where it returns something that is
   * none, the function is called for each record until it returns undefined.
   */
  type RecordSource = () => unknown;

  /** Reader name → what its records are and what `run` takes. */
  interface RunReaders {
    /** Keys with their values. The reader of `GB()`. */
    KeysReader: {
      record: KeyRecord;
      run: [pattern?: string, options?: KeysRunOptions] | [options: KeysRunOptions & { pattern?: string }];
    };
    /** Names of keys. */
    KeysOnlyReader: {
      record: string;
      run: [pattern?: string, options?: KeysOnlyRunOptions] | [options: KeysOnlyRunOptions & { pattern?: string }];
    };
    /** Entries of one stream. */
    StreamReader: {
      record: StreamRecord;
      run: [key?: string, options?: StreamRunOptions] | [options: StreamRunOptions & { key?: string }];
    };
    /** What a function or generator of the source gives. */
    // biome-ignore lint/suspicious/noExplicitAny: whatever the author's generator yields.
    GeneratorReader: { record: any; run: [source?: RecordSource, options?: RunOptions] | [options: RunOptions] };
    /** The same as `GeneratorReader`. */
    // biome-ignore lint/suspicious/noExplicitAny: the same under the name RedisGears had for it.
    PythonReader: { record: any; run: [source?: RecordSource, options?: RunOptions] | [options: RunOptions] };
    /** One record per shard: its id. */
    ShardsIDReader: { record: string; run: [] | [options: RunOptions] };
  }

  /** Names that `GB(…)` takes. */
  type ReaderName = keyof Readers | keyof RunReaders;
  /** What the records of a reader are. */
  type RecordOf<Name extends ReaderName> = Name extends keyof Readers
    ? Readers[Name]['record']
    : Name extends keyof RunReaders
      ? RunReaders[Name]['record']
      : never;
  /** What `register` takes behind a reader. */
  type RegisterOf<Name extends ReaderName> = Name extends keyof Readers ? Readers[Name]['register'] : never;
  /** What `run` takes behind a reader. */
  type RunOf<Name extends ReaderName> = Name extends keyof RunReaders ? RunReaders[Name]['run'] : never;

  /** What kind of builder steps go on with: the one of a source (`BuilderOf`), or that of `regears/client`. */
  interface BuilderKind {
    /** What the records are at this point of the plan. */
    readonly record: unknown;
    /** The builder of such records. */
    readonly builder: unknown;
  }
  /** The builder behind a step that makes records of type `Out`. */
  type Next<Kind extends BuilderKind, Out> = (Kind & { readonly record: Out })['builder'];
  /** The builder of a source. */
  interface BuilderOf<Args extends readonly unknown[], RunArgs extends readonly unknown[]> extends BuilderKind {
    /** @see Builder */
    readonly builder: Builder<this['record'], Args, RunArgs>;
  }

  /**
   * A plan being built: steps run in the order they are called, on every record the reader gives. Steps return the builder.
   * A misspelt method, a wrong argument or an unknown option is an error that names it, before anything is registered.
   */
  interface Steps<In, Kind extends BuilderKind> {
    /**
     * One record in, one out.
     * @example
     * GB('CommandReader').map(([, a, b]) => Number(a) + Number(b)).register({ trigger: 'add' });
     */
    map<Out>(callback: (record: In) => MaybePromise<Out>): Next<Kind, Out>;
    /**
     * One record in, the elements of the returned list out, in their order; an empty list ends the record, what is no list
     * passes as one record.
     * @example
     * GB('StreamReader').flatmap((r) => r.value.text.split(' ')).foreach(count).register({ prefix: 'texts' });
     */
    flatmap<Out>(callback: (record: In) => MaybePromise<readonly Out[] | Out>): Next<Kind, Out>;
    /** The same as `flatmap`. */
    flatMap<Out>(callback: (record: In) => MaybePromise<readonly Out[] | Out>): Next<Kind, Out>;
    /**
     * Does something with each record and passes it on; the next step waits for a returned promise.
     * @example
     * GB('StreamReader').foreach((r) => execute('SADD', 'users', r.value.user)).register({ prefix: 'logins' });
     */
    foreach(callback: (record: In) => unknown): Next<Kind, In>;
    /** The same as `foreach`. */
    forEach(callback: (record: In) => unknown): Next<Kind, In>;
    /**
     * Passes on the records for which the callback returns something truthy; entries of the others end as filtered.
     * @example
     * GB('StreamReader').filter((r) => Number(r.value.amount) > 100).foreach(check).register({ prefix: 'orders:*' });
     */
    filter(callback: (record: In) => unknown): Next<Kind, In>;
    /**
     * Folds all records of one execution into one; the accumulator is `null` at first. No records, no result.
     * @example
     * GB('StreamReader').accumulate((sum, r) => (sum ?? 0) + Number(r.value.amount))
     *   .foreach((sum) => execute('INCRBYFLOAT', 'total', sum)).register({ prefix: 'orders:*', batch: 500, duration: 100 });
     */
    accumulate<Acc>(callback: (accumulator: Acc | null, record: In) => MaybePromise<Acc>): Next<Kind, Acc>;
    /**
     * Folds the records of one execution by key, here on this node; gives one `{ key, value }` per key.
     * @example
     * GB('StreamReader').localgroupby((r) => r.value.page, (page, n) => (n ?? 0) + 1)
     *   .foreach((g) => execute('HINCRBY', 'pages', g.key, g.value)).register({ prefix: 'events:*', batch: 1000, duration: 50 });
     */
    localgroupby<Acc>(
      extractor: (record: In) => string | number,
      reducer: (key: string, accumulator: Acc | null, record: In) => MaybePromise<Acc>,
    ): Next<Kind, GroupRecord<Acc>>;
    /** The same as `localgroupby`. */
    localGroupBy<Acc>(
      extractor: (record: In) => string | number,
      reducer: (key: string, accumulator: Acc | null, record: In) => MaybePromise<Acc>,
    ): Next<Kind, GroupRecord<Acc>>;
    /**
     * Passes on `length` records of each execution, beginning with number `start` (default 0).
     * @example
     * GB('StreamReader').limit(10).foreach(sample).register({ prefix: 'events:*', batch: 1000, duration: 1000 });
     */
    limit(length: number, start?: number): Next<Kind, In>;
    /**
     * Brings the records of all shards together: what follows runs once, over all of them. With `register` they pass through.
     * @example
     * GB().map((r) => r.key).collect().limit(10).run('user:*');
     */
    collect(): Next<Kind, In>;
    /**
     * Folds the records of all shards by key; gives one `{ key, value }` per key. Keys are text, other values become theirs.
     * The extractor must not be async. With `register`, records of one execution are folded where they are.
     * @example
     * GB().groupby((r) => r.value.city, (city, oldest, r) => Math.max(oldest ?? 0, r.value.age)).run('person:*');
     */
    groupby<Acc>(
      extractor: (record: In) => unknown,
      reducer: (key: string, accumulator: Acc | null, record: In) => MaybePromise<Acc>,
    ): Next<Kind, GroupRecord<Acc>>;
    /** The same as `groupby`. */
    groupBy<Acc>(
      extractor: (record: In) => unknown,
      reducer: (key: string, accumulator: Acc | null, record: In) => MaybePromise<Acc>,
    ): Next<Kind, GroupRecord<Acc>>;
    /**
     * As `groupby`, but the reducer gets all records of a key at once, as a list; neither callback may be async. All records are
     * held in memory: prefer `groupby`.
     * @example
     * GB().batchgroupby((r) => r.value.city, (city, people) => people.length).run('person:*');
     */
    batchgroupby<Out>(
      extractor: (record: In) => unknown,
      reducer: (key: string, records: readonly In[]) => Out,
    ): Next<Kind, GroupRecord<Out>>;
    /** The same as `batchgroupby`. */
    batchGroupBy<Out>(
      extractor: (record: In) => unknown,
      reducer: (key: string, records: readonly In[]) => Out,
    ): Next<Kind, GroupRecord<Out>>;
    /**
     * Moves each record to the shard that owns a key of this name, so that what follows can write there.
     * @example
     * GB().repartition((r) => r.value.city).foreach((r) => execute('INCR', r.value.city)).run('person:*');
     */
    repartition(extractor: (record: In) => unknown): Next<Kind, In>;
    /**
     * Folds all records of all shards into one: `local` on every shard, then `global` over what the shards came to. Both begin
     * with a copy of `zero`, also where the accumulator is null again. No records, no result.
     * @example
     * GB().aggregate(0, (max, r) => Math.max(max, r.value.age), (max, other) => Math.max(max, other)).run('person:*');
     */
    aggregate<Acc>(
      zero: Acc,
      local: (accumulator: Acc, record: In) => MaybePromise<Acc>,
      global: (accumulator: Acc, partial: Acc) => MaybePromise<Acc>,
    ): Next<Kind, Acc>;
    /**
     * `aggregate` by key; gives one `{ key, value }` per key.
     * @example
     * GB().aggregateby((r) => r.value.city, 0, (city, n, r) => n + 1, (city, n, m) => n + m).run('person:*');
     */
    aggregateby<Acc>(
      extractor: (record: In) => unknown,
      zero: Acc,
      local: (key: string, accumulator: Acc, record: In) => MaybePromise<Acc>,
      global: (key: string, accumulator: Acc, partial: Acc) => MaybePromise<Acc>,
    ): Next<Kind, GroupRecord<Acc>>;
    /** The same as `aggregateby`. */
    aggregateBy<Acc>(
      extractor: (record: In) => unknown,
      zero: Acc,
      local: (key: string, accumulator: Acc, record: In) => MaybePromise<Acc>,
      global: (key: string, accumulator: Acc, partial: Acc) => MaybePromise<Acc>,
    ): Next<Kind, GroupRecord<Acc>>;
    /**
     * Number of records; nothing when there are none.
     * @example
     * GB().count().run('person:*');
     */
    count(): Next<Kind, number>;
    /**
     * Number of records by key, as `{ key, value }`; without an extractor the record itself is the key.
     * @example
     * GB().countby((r) => r.value.city).run('person:*');
     */
    countby(extractor?: (record: In) => unknown): Next<Kind, GroupRecord<number>>;
    /** The same as `countby`. */
    countBy(extractor?: (record: In) => unknown): Next<Kind, GroupRecord<number>>;
    /**
     * Each record once; records are the same when they hold the same, also lists and objects.
     * @example
     * GB().map((r) => r.value.city).distinct().run('person:*');
     */
    distinct(): Next<Kind, In>;
    /**
     * All records in order, upwards unless `reverse`: numbers, then texts by their code units, then other values by what they
     * hold. All of them are held in memory in one place.
     * @example
     * GB().map((r) => Number(r.value.age)).sort().run('person:*');
     * GB().map((r) => r.value).sort({ comparator: (a, b) => a.age - b.age, reverse: true }).run('person:*');
     */
    sort(reverse?: boolean): Next<Kind, In>;
    sort(comparator: (a: In, b: In) => number): Next<Kind, In>;
    sort(options: { reverse?: boolean; comparator?: (a: In, b: In) => number }): Next<Kind, In>;
    /**
     * Mean of the records, which must be numbers or texts of numbers, or of what the extractor takes out of them; nothing when
     * there are none.
     * @example
     * GB().avg((r) => r.value.age).run('person:*');
     */
    avg(extractor?: (record: In) => unknown): Next<Kind, number>;
  }

  /** Steps, and the two ways to end them. */
  interface Builder<In, Args extends readonly unknown[], RunArgs extends readonly unknown[] = never>
    extends Steps<In, BuilderOf<Args, RunArgs>> {
    /**
     * Runs the plan once, over everything its reader finds now, on all shards. A script may call it once, while it is evaluated, where
     * it gives nothing: who sent the script gets the results. While an event or record is handled it may be called at will, up to 3 runs
     * within each other, and gives a promise of results and errors. Results are texts unless `convertToStr` is false; the run ends with
     * the event that waits for it.
     * @example
     * GB().map((r) => Number(r.value.age)).avg().run('person:*');
     * GB('KeysOnlyReader').foreach((key) => execute('DEL', key)).count().run('tmp:*', { mode: 'async_local' });
     * const [[count = '0'], errors] = await GB().count().run('student:*');
     */
    run<Result = string>(...args: RunArgs): Promise<[results: Result[], errors: string[]]>;
    /**
     * Binds the plan to its events. Happens when the version is activated, for all registrations of a source or none.
     * @example
     * GB('StreamReader').foreach((r) => log(r.id)).register({ prefix: 'events:*', mode: 'async_local' });
     * GB('StreamReader').foreach((r) => log(r.id)).register('events:*');
     * GB('CommandReader').map((args) => args.length).register({ trigger: 'count' });
     */
    register(...args: Args): void;
  }

  /** Makes builders; callable with and without `new`. */
  interface GearsBuilderConstructor {
    /**
     * @param reader where records come from. Default `KeysReader`.
     * @param defaultArg what `run` takes when it is called without its first argument; `register` does not use it.
     * @param desc shown with the registration.
     * @example
     * new GearsBuilder('StreamReader', '*', 'counts clicks').foreach(count).register({ prefix: 'events:*' });
     */
    new <Name extends ReaderName = 'KeysReader'>(
      reader?: Name,
      defaultArg?: string | (() => unknown),
      desc?: string,
    ): Builder<RecordOf<Name>, RegisterOf<Name>, RunOf<Name>>;
    <Name extends ReaderName = 'KeysReader'>(
      reader?: Name,
      defaultArg?: string | (() => unknown),
      desc?: string,
    ): Builder<RecordOf<Name>, RegisterOf<Name>, RunOf<Name>>;
  }

  /** @see GearsBuilderConstructor */
  const GearsBuilder: GearsBuilderConstructor;
  /**
   * Short for `GearsBuilder`.
   * @example
   * GB('CommandReader').map(() => 'PONG').register({ trigger: 'ping' });
   */
  const GB: GearsBuilderConstructor;

  /** What a Redis command takes; numbers and booleans are sent as text. */
  type CommandArgument = string | number | bigint | boolean | Uint8Array | ArrayBuffer;

  /** What Redis answers: text, numbers, lists, nothing. Text that is not UTF-8 arrives as `Uint8Array`. */
  type Reply = string | number | Uint8Array | null | readonly Reply[];

  /**
   * Sends a command to Redis and resolves with its reply; an error reply rejects. Commands that block, change the connection
   * or administer the server, and keys of the platform itself, are refused.
   */
  interface Execute {
    /**
     * @example
     * const n = await execute('HINCRBY', `clicks:{${user}}`, page, 1);
     * const [name, mail] = await execute<string[]>('HMGET', 'user:1', 'name', 'mail');
     */
    <R = Reply>(command: string, ...args: readonly CommandArgument[]): Promise<R>;
    /**
     * The same; text in the reply is bytes, whatever it holds.
     * @example
     * const image = await execute.raw<Uint8Array>('GET', 'image:1');
     */
    raw<R = RawReply>(command: string, ...args: readonly CommandArgument[]): Promise<R>;
  }

  /** What `execute.raw` answers: text is bytes, whatever it holds. */
  type RawReply = number | Uint8Array | null | readonly RawReply[];

  /** @see Execute */
  const execute: Execute;

  /** What the function given to `atomic` gets, to read before it writes. */
  interface Transaction {
    /**
     * A command that reads runs at once, its keys watched; one that writes is queued and answered with all the others.
     * @example
     * const left = Number(await tx.execute('GET', 'stock')); if (left > 0) tx.execute('DECR', 'stock');
     */
    execute: Execute;
  }

  /**
   * Makes the commands of a function happen as one transaction, and resolves with the replies of its writes. All keys must
   * share a slot on a cluster: use hash tags.
   */
  interface Atomic {
    /**
     * Reads and writes: when somebody changes what was read before the writes are made, `fn` runs again, a bounded number of
     * times, then it is an error.
     * @example
     * await atomic(async (tx) => {
     *   const balance = Number(await tx.execute('GET', 'account:{7}'));
     *   if (balance < 10) throw new Error('not enough');
     *   tx.execute('SET', 'account:{7}', balance - 10);
     *   tx.execute('RPUSH', 'payments:{7}', 10);
     * });
     */
    (fn: (tx: Transaction) => Promise<unknown>): Promise<readonly Reply[]>;
    /**
     * Writes only, told by `fn` having no parameter: every `execute` called before `fn` returns or first awaits is part of
     * one MULTI/EXEC. What `fn` throws takes all of them back.
     * @example
     * await atomic(() => { execute('INCR', 'n:{a}'); execute('SADD', 's:{a}', id); });
     */
    (fn: () => unknown): Promise<readonly Reply[]>;
  }

  /** @see Atomic */
  const atomic: Atomic;

  /**
   * Whether an `execute` called now is part of a transaction: within the function given to `atomic`, until it returns or first
   * awaits.
   * @example
   * const note = (key) => (isInAtomicBlock() ? execute('INCR', key) : atomic(() => execute('INCR', key)));
   */
  function isInAtomicBlock(): boolean;

  /**
   * Writes a line to the function's log (`regears logs <function>`). Default level `notice`. `console.*` writes there too.
   * @example
   * log(`no user in ${r.id}`, 'warning');
   */
  function log(message: string, level?: 'debug' | 'verbose' | 'notice' | 'warning'): void;

  /**
   * In a hook: hands the command on, with these arguments (its name not among them), to the next hook or to Redis; the reply.
   * @example
   * GB('CommandReader').map(async (a) => (await callNext(...a.slice(1))) ?? 'none').register({ hook: 'get', mode: 'sync' });
   */
  function callNext(...args: readonly CommandArgument[]): Promise<Reply>;

  /**
   * With `commands`: what the waiting client gets instead of its command's reply. Only the first call of an event counts, a second
   * is an error. Strings that begin with `+` or `-` are simple strings and errors.
   * @example
   * GB().foreach(async (r) => overrideReply(await lookUp(r.key))).register({ eventTypes: ['keymiss'], commands: ['get'] });
   */
  function overrideReply(value: unknown): void;

  /**
   * With `commands`: the client's command, its name first.
   * @example
   * const [name, ...args] = getCommand();
   */
  function getCommand(): (string | Uint8Array)[];

  /**
   * Waits, up to the end of the event: its time limit (`limit-execution-ms`) goes on. Seconds may be fractions, up to a day.
   * @example
   * await sleep(0.5);
   */
  function sleep(seconds: number): Promise<void>;

  /**
   * Begins an async function beside the callback at hand, after `delay` seconds. What it comes to goes to `future`; without one its
   * error is logged. It ends with the event: what has not begun by then never does.
   * @example
   * runCoroutine(async () => setFutureException(future, 'nobody came'), { delay: 5 });
   */
  function runCoroutine(
    coroutine: (() => unknown) | Promise<unknown>,
    options?: { future?: GearsFuture | null; delay?: number },
  ): void;
  function runCoroutine(
    coroutine: (() => unknown) | Promise<unknown>,
    future: GearsFuture | null,
    delay?: number,
  ): void;

  /** Stands for the answer of one callback; see `gearsFuture`. */
  interface GearsFuture extends PromiseLike<never> {
    /**
     * The record goes on: with this as mapped value, list, verdict of a filter or accumulator; `foreach` does not look at it.
     * @example
     * future.continueRun(value);
     */
    continueRun(value?: unknown): void;
    /**
     * The record fails; of a text nothing but the text is told.
     * @example
     * future.continueFailed(new Error('no answer'));
     */
    continueFailed(error: unknown): void;
  }

  /**
   * Made in the callback of a step, one per call, and returned by it: the record goes on when the future is continued, once. A future
   * that nobody continues ends with the time limit of its event.
   * @example
   * GB('StreamReader').map((r) => { const f = gearsFuture(); runCoroutine(() => load(r.value.url), f); return f; });
   */
  function gearsFuture(): GearsFuture;

  /** Waited for by one handler and completed by another; see `createFuture`. */
  interface Future<Value = unknown> extends PromiseLike<Value> {
    /**
     * A name that may be stored and sent around; `JSON.stringify` writes it, too.
     * @example
     * await execute('LPUSH', 'waiting', String(future));
     */
    toString(): string;
    toJSON(): string;
  }

  /**
   * A future that any handler of this function may complete, on any node. Awaiting it waits for that, up to the end of the event.
   * @example
   * const future = createFuture(); await execute('LPUSH', 'jobs', JSON.stringify({ text, future })); return await future;
   */
  function createFuture<Value = unknown>(): Future<Value>;

  /**
   * Completes a future, or one of which only the text is at hand, with what can travel between stages. Rejects when it has been
   * completed before: of several who try, one succeeds.
   * @example
   * const job = JSON.parse(await execute('RPOP', 'jobs')); await setFutureResults(job.future, 'taken');
   */
  function setFutureResults<Value>(future: Future<Value> | string, value: Value): Promise<void>;

  /**
   * The same with an error for whoever waits; a text is told as it is, of an Error name and message.
   * @example
   * await setFutureException(future, new RangeError('too late'));
   */
  function setFutureException(future: Future<never> | Future | string, error: unknown): Promise<void>;

  /**
   * Throws an error that is told and recorded as this text, without name and stack: to the caller of a command it is the whole error
   * reply. A text that begins with `PAUSE` pauses a registration whose entries can wait.
   * @example
   * if (user === null) flatError('NOSUCHUSER there is no such user');
   */
  function flatError(message: string): never;

  /**
   * True where a callback may wait: while an event is handled, outside of `atomic`.
   * @example
   * return isAsyncAllow() ? slowly() : 'later';
   */
  function isAsyncAllow(): boolean;

  /**
   * Calls `callback` every so many seconds, once in the whole fleet, until it throws: short for a ScheduleReader, which can do more. Works
   * while the source is loaded.
   * @example
   * registerTE(60, () => execute('DEL', 'counters:minute'));
   */
  function registerTE(seconds: number, callback: () => unknown): void;

  /**
   * A short text that, in braces, makes a key live on the shard of the present event.
   * @example
   * await execute('INCR', `events:{${hashtag()}}`);
   */
  function hashtag(): string;

  /**
   * What a version allows itself. A limit may be lowered at will, and raised up to what the platform allows; crossing one is
   * an error that names it. What is left out is as everywhere.
   */
  interface Configuration {
    /**
     * Limits of this version. Sizes are texts such as `'64mb'` or bytes, times texts such as `'500ms'` or milliseconds.
     * @example
     * configure({ limits: { memory: '64mb', call: '200ms', execution: '10s', commands: 100 } });
     */
    limits?: {
      /** Memory of the function, `8mb` at least. Setting `limit-memory`. */
      memory?: string | number;
      /** Longest stretch of code without awaiting anything. Setting `limit-call-ms`. */
      call?: string | number;
      /** The same as `call`. */
      callMs?: string | number;
      /** Longest execution, waiting included. Setting `limit-execution-ms`. */
      execution?: string | number;
      /** The same as `execution`. */
      executionMs?: string | number;
      /** Results, log lines and error texts of one execution, `1kb` at least. Setting `limit-output`. */
      output?: string | number;
      /** Redis commands one event may send. Setting `limit-commands`. */
      commands?: number;
      /** Size of all commands of one event together, `1kb` at least. Setting `limit-command-bytes`. */
      commandBytes?: string | number;
      /** Executions at once on one node. Setting `limit-concurrency`. */
      concurrency?: number;
    };
    /**
     * The only Redis commands that may be sent; any other is refused with `COMMAND_FORBIDDEN` and never reaches Redis.
     * @example
     * configure({ commands: ['HINCRBY', 'GET'] });
     */
    commands?: readonly string[];
    /**
     * The only keys that may be touched, as glob patterns of `KEYS`, 100 at most. Commands whose keys are not known beforehand
     * (`SCAN`, `KEYS`, `SORT … BY` with a pattern) are refused.
     * @example
     * configure({ keys: ['clicks:*', 'total'] });
     */
    keys?: readonly string[];
    /**
     * What `configGet` answers where the platform has no setting of that name.
     * @example
     * configure({ settings: { region: 'eu' } });
     */
    settings?: Readonly<Record<string, string>>;
  }

  /**
   * Says what this version allows itself: once, at the top level of the source, before or after the builders. A misspelt name
   * or a wrong value is an error that names it, and nothing is deployed.
   * @example
   * configure({
   *   limits: { memory: '64mb', call: '500ms', concurrency: 10 },
   *   commands: ['HINCRBY'],
   *   keys: ['clicks:*'],
   *   settings: { region: 'eu' },
   * });
   */
  function configure(configuration: Configuration): void;

  /**
   * A setting of the platform's configuration that is meant for functions (`--function-setting region=us`), else the default
   * that `configure` gave it; null when there is none of that name.
   * @example
   * const region = configGet('region') ?? 'eu';
   */
  function configGet(key: string): string | null;

  /**
   * The same with a default.
   * @example
   * const region = gearsConfigGet('region', 'eu');
   */
  function gearsConfigGet(key: string): string | null;
  function gearsConfigGet<Default>(key: string, defaultValue: Default): string | Default;

  /** Lines for the function's log (`regears logs <function>`); `log` takes a level as well. */
  interface Console {
    /**
     * Level `notice`.
     * @example
     * console.log('no user in', r.id);
     */
    log(...values: unknown[]): void;
    /** The same as `log`. */
    info(...values: unknown[]): void;
    /**
     * Level `debug`.
     * @example
     * console.debug(r.value);
     */
    debug(...values: unknown[]): void;
    /**
     * Level `warning`.
     * @example
     * console.warn(`order ${r.id} has no item`);
     */
    warn(...values: unknown[]): void;
    /** The same as `warn`. */
    error(...values: unknown[]): void;
  }
  /** @see Console */
  var console: Console;
}
