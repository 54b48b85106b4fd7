/** Records: what callbacks get from each reader. */
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
}
