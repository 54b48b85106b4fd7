/** `GearsBuilder` and its steps. */
export {};

declare global {
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
}
