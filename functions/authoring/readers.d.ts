/** Readers: which records and arguments belong to which name, and the arguments of `run`. */
export {};

declare global {
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
    CommandReader: {
      record: CommandRecord;
      register: [options: (CommandRegisterOptions & OrderPerKey<CommandRecord>) | HookRegisterOptions];
    };
    /** Events of keys. The reader of `GB()`. */
    KeysReader: {
      record: KeyRecord;
      register:
        | [options?: KeysRegisterOptions & OrderPerKey<KeyRecord>]
        | [prefix: string, options?: Omit<KeysRegisterOptions, 'prefix'> & OrderPerKey<KeyRecord>];
    };
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
}
