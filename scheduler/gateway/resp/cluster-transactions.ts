import { encodeCommand, type Shard } from '#functions';
import { type Sent, unseen } from './sent-command.ts';

/** What transactions need of the way to the cluster. */
export interface TransactionHost {
  send(shard: Shard, sent: Sent): void;
  /** Answers a command that Redis has not seen, as Redis would. */
  settle(sent: Sent, reply: string): void;
  first(): Shard;
  ofKeys(args: readonly string[]): Shard | null;
}

/** An open transaction. It belongs to no shard before its first key is known. */
interface Transaction {
  shard: Shard | null;
  readonly held: (Buffer | string)[];
  isRefused: boolean;
}

const OK = '+OK\r\n';
const QUEUED = '+QUEUED\r\n';
const ABORTED = '-EXECABORT Transaction discarded because of previous errors.\r\n';

/** WATCH and MULTI … EXEC of one client: all of it goes to the shard of the first key. */
export class ClusterTransactions {
  readonly #host: TransactionHost;
  #open: Transaction | null = null;
  #watchedShard: Shard | null = null;

  constructor(host: TransactionHost) {
    this.#host = host;
  }

  get isOpen(): boolean {
    return this.#open !== null;
  }

  /** Where UNWATCH belongs. */
  get watchedShard(): Shard | null {
    return this.#watchedShard;
  }

  watch(shard: Shard): void {
    this.#watchedShard = shard;
  }

  /** RESET has ended all of it. */
  forget(): void {
    this.#open = this.#watchedShard = null;
  }

  /** EXEC will refuse the open transaction. */
  refuse(): void {
    if (this.#open) this.#open.isRefused = true;
  }

  begin(sent: Sent): void {
    this.#open = { shard: this.#watchedShard, held: [], isRefused: false };
    if (this.#watchedShard) this.#host.send(this.#watchedShard, sent);
    else this.#host.settle(sent, OK);
  }

  /** A command after MULTI. */
  take(sent: Sent): void {
    const transaction = this.#open;
    if (transaction === null) return;
    if (sent.word === 'exec' || sent.word === 'discard') {
      this.#end(sent, transaction);
      return;
    }
    const shard = transaction.shard ?? this.#host.ofKeys(sent.args);
    if (shard !== null) {
      if (transaction.shard === null) this.#bind(transaction, shard);
      this.#host.send(shard, sent);
      return;
    }
    transaction.held.push(sent.bytes);
    this.#host.settle(sent, QUEUED);
  }

  /** The first key is known: what was held goes to its shard, whose answers the client has already had. */
  #bind(transaction: Transaction, shard: Shard): void {
    transaction.shard = shard;
    this.#host.send(shard, unseen(encodeCommand(['MULTI'])));
    for (const bytes of transaction.held) this.#host.send(shard, unseen(bytes));
  }

  #end(sent: Sent, transaction: Transaction): void {
    this.forget();
    const isDiscarded = sent.word === 'discard' || transaction.isRefused;
    if (isDiscarded && (transaction.shard === null || sent.word === 'exec')) {
      if (transaction.shard) {
        this.#host.send(transaction.shard, unseen(encodeCommand(['DISCARD'])));
      }
      this.#host.settle(sent, sent.word === 'discard' ? OK : ABORTED);
      return;
    }
    if (transaction.shard === null) this.#bind(transaction, this.#host.first());
    this.#host.send(transaction.shard as Shard, sent);
  }
}
