import { encodeCommand } from '#functions';
import type { Word } from './command-words.ts';

/** A command whose reply tells something about the connection. `args` are latin1, the name first. */
export interface Noted {
  readonly word: Word;
  readonly args: readonly string[];
}

type ReplyMode = 'on' | 'off' | 'skip-next';

/** Commands of CLIENT that a new connection must be told again. */
const LASTING_CLIENT = new Set(['setname', 'setinfo', 'no-evict', 'no-touch']);

/**
 * What a client's connection to Redis remembers, learned from the replies that pass by: who it is, which protocol it
 * speaks, whether it is in a transaction. What can be told again to a new connection is kept for it.
 */
export class ConnectionState {
  protocol: 2 | 3 = 2;
  /** ACL user; null = not known (yet). */
  user: string | null = null;
  /** True after the client has given a password that Redis took. */
  authenticated = false;
  inMulti = false;
  watching = false;
  monitoring = false;
  tracking = false;
  /** Replication: what comes is no RESP any more. */
  isRaw = false;
  replyMode: ReplyMode = 'on';
  readonly #subscriptions = {
    subscribe: new Set<string>(),
    psubscribe: new Set<string>(),
    ssubscribe: new Set<string>(),
  };
  /** What was queued in the open transaction and takes effect with EXEC. */
  #queued: Noted[] = [];
  /** By kind, the newest command of each that a new connection must hear. */
  readonly #lasting = new Map<string, string>();
  readonly #ring: (key: string) => void;

  constructor(ring: (key: string) => void) {
    this.#ring = ring;
  }

  get subscribed(): boolean {
    const { subscribe, psubscribe, ssubscribe } = this.#subscriptions;
    return subscribe.size + psubscribe.size + ssubscribe.size > 0;
  }

  /** True when a lost connection cannot be replaced behind the client's back. */
  get irreplaceable(): boolean {
    return this.inMulti || this.watching || this.monitoring || this.tracking || this.isRaw || this.subscribed;
  }

  /** True when frames that answer nothing may come among the replies, apart from RESP3 pushes. */
  get hasStrayFrames(): boolean {
    return this.monitoring || (this.subscribed && this.protocol === 2);
  }

  /** Commands that bring a new connection to this state, in order: authentication opens the door for the others. */
  replay(): readonly string[] {
    const auth = this.#lasting.get('auth');
    const others = [...this.#lasting].filter(([kind]) => kind !== 'auth').map(([, command]) => command);
    return auth === undefined ? others : [auth, ...others];
  }

  /** True for a frame that answers no command: a published message, a line of MONITOR. `head` is its beginning. */
  isStray(head: string): boolean {
    if (head.startsWith('>')) return true;
    if (this.monitoring && /^\+\d/.test(head)) return true;
    return this.subscribed && /^\*[34]\r\n\$\d\r\n[ps]?message\r\n/.test(head);
  }

  /** How many confirmations a pub/sub command will have if it is not refused. */
  confirmations({ word, args }: Noted): number {
    if (args.length > 1) return args.length - 1;
    return word.includes('unsub') ? Math.max(1, this.#channels(word).size) : 1;
  }

  /**
   * A frame that confirms `noted`, or that Redis sent on its own account (a lost shard channel). Returns false when it does
   * not belong to the command.
   */
  confirm(noted: Noted | undefined, frame: string): boolean {
    const found = /^[*>]3\r\n\$\d+\r\n([ps]?(?:un)?subscribe)\r\n(?:\$(-?\d+)|_)\r\n/.exec(frame);
    if (found === null) return false;
    const word = found[1] as Word;
    const channel = frame.slice(found[0].length, found[0].length + Math.max(0, Number(found[2] ?? 0)));
    if (word.includes('unsub')) this.#channels(word).delete(channel);
    else this.#channels(word).add(channel);
    return noted?.word === word;
  }

  #channels(word: Word): Set<string> {
    return this.#subscriptions[word.replace('un', '') as 'subscribe' | 'psubscribe' | 'ssubscribe'];
  }

  /** Takes a reply into account as `settle` does, and CLIENT REPLY; true when the client must not see it. */
  settleHidden(noted: Noted | undefined, head: string): boolean {
    const before = this.replyMode;
    if (noted) this.settle(noted, head);
    const isChange = noted?.word === 'client' && noted.args[1]?.toLowerCase() === 'reply';
    if (!isChange && before === 'skip-next') this.replyMode = 'on';
    return (isChange ? this.replyMode : before) !== 'on';
  }

  /** Takes the reply to `noted` into account. `head` is the reply's beginning (the whole of short ones). */
  settle(noted: Noted, head: string): void {
    const failed = head.startsWith('-');
    if (noted.word === 'exec') {
      this.#ended(!failed && !head.startsWith('*-1') && !head.startsWith('_'));
      return;
    }
    if (failed) return;
    const { word, args } = noted;
    if (head.startsWith('+QUEUED') && this.inMulti) {
      this.#queued.push(noted);
      return;
    }
    if (word === 'multi') this.inMulti = true;
    else if (word === 'discard') this.#ended(false);
    else if (word === 'watch') this.watching = true;
    else if (word === 'unwatch') this.watching = false;
    else if (word === 'monitor') this.monitoring = true;
    else if (word === 'xadd') this.#wrote(args[1] ?? '', head);
    else if (word === 'reset') this.#reset();
    else this.#lastingChange(noted);
  }

  #lastingChange({ word, args }: Noted): void {
    if (word === 'auth') this.#authenticated(args.length > 2 ? (args[1] ?? '') : 'default', encodeCommand(args));
    else if (word === 'hello') this.#hello(args);
    else if (word === 'select') this.#lasting.set('select', encodeCommand(args));
    else if (word === 'readonly') this.#lasting.set('readonly', encodeCommand(args));
    else if (word === 'readwrite') this.#lasting.delete('readonly');
    else if (word === 'client') this.#client(args);
  }

  #authenticated(user: string, command: string): void {
    this.user = user;
    this.authenticated = true;
    this.#lasting.set('auth', command);
  }

  #hello(args: readonly string[]): void {
    if (args.length < 2) return;
    this.protocol = args[1] === '3' ? 3 : 2;
    this.#lasting.set('protocol', encodeCommand(['HELLO', args[1] ?? '2']));
    for (let i = 2; i < args.length; i += 1) {
      const option = args[i]?.toLowerCase();
      if (option === 'auth')
        this.#authenticated(args[i + 1] ?? '', encodeCommand(['AUTH', ...args.slice(i + 1, i + 3)]));
      if (option === 'setname') this.#lasting.set('setname', encodeCommand(['CLIENT', 'SETNAME', args[i + 1] ?? '']));
      i += option === 'auth' ? 2 : 1;
    }
  }

  #client(args: readonly string[]): void {
    const sub = args[1]?.toLowerCase() ?? '';
    if (LASTING_CLIENT.has(sub)) {
      const kind = sub === 'setinfo' ? `setinfo ${args[2]?.toLowerCase()}` : sub;
      this.#lasting.set(kind, encodeCommand(args));
    }
    if (sub === 'tracking') this.tracking = args[2]?.toLowerCase() === 'on';
    if (sub !== 'reply') return;
    const mode = args[2]?.toLowerCase();
    if (mode === 'on') this.replyMode = 'on';
    else if (mode === 'off') this.replyMode = 'off';
    else if (this.replyMode === 'on') this.replyMode = 'skip-next';
  }

  #wrote(key: string, head: string): void {
    // Nil: NOMKSTREAM on a stream that is not there.
    if (!head.startsWith('$-1') && !head.startsWith('_')) this.#ring(key);
  }

  #ended(executed: boolean): void {
    const queued = executed ? this.#queued : [];
    this.inMulti = false;
    this.watching = false;
    this.#queued = [];
    for (const noted of queued) {
      if (noted.word === 'xadd') this.#ring(noted.args[1] ?? '');
      else this.#lastingChange(noted);
    }
  }

  #reset(): void {
    this.#ended(false);
    this.protocol = 2;
    this.user = null;
    this.authenticated = false;
    this.monitoring = false;
    this.tracking = false;
    this.replyMode = 'on';
    this.#lasting.clear();
    for (const channels of Object.values(this.#subscriptions)) channels.clear();
  }
}
