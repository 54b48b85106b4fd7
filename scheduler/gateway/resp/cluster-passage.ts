import { type Endpoint, encodeCommand, type Shard } from '#functions';
import { ClusterTransactions } from './cluster-transactions.ts';
import { isSubscription, type Word } from './command-words.ts';
import { leavesRepliesOut, REPLY_ON } from './note-queue.ts';
import { argumentsOf, LOST, type Passage, type PassageHost, UNREACHABLE } from './passage.ts';
import { ReplyQueue } from './reply-queue.ts';
import type { RequestFramer } from './request-framer.ts';
import { type Sent, unseen } from './sent-command.ts';
import { concernsEveryShard, type ShardChoice } from './shard-choice.ts';
import { ShardLink, type ShardLinkEvents } from './shard-link.ts';
import type { Spread } from './spread.ts';

export interface ClusterPassageOptions {
  readonly host: PassageHost;
  readonly choice: ShardChoice;
  readonly endpointOf: (shard: Shard) => Endpoint;
}

const CROSS_SLOT = "-CROSSSLOT Keys in request don't hash to the same slot\r\n";
const MAX_REDIRECTS = 5;
const HEAD_BYTES = 64 * 1024;

/**
 * The way to a cluster: each command goes to the shard of its first key, on a connection per shard that is opened when it is
 * needed, and replies are put back in order. Commands without keys go to every shard where Redis says how to make one
 * answer of theirs (`spread.ts`), else to the first.
 */
export class ClusterPassage implements Passage, ShardLinkEvents {
  readonly #options: ClusterPassageOptions;
  readonly #host: PassageHost;
  readonly #links = new Map<string, ShardLink<Sent>>();
  readonly #corked = new Set<ShardLink<Sent>>();
  readonly #replies = new ReplyQueue<Buffer | string>((reply) => this.#toClient(reply));
  readonly #transactions: ClusterTransactions;
  #isClosed = false;
  /** Commands that later ones wait for and that have no answer yet. */
  #settling = 0;

  constructor(options: ClusterPassageOptions) {
    this.#options = options;
    this.#host = options.host;
    const { choice } = options;
    this.#transactions = new ClusterTransactions({
      send: (shard, sent) => this.#send(shard, sent),
      settle: (sent, reply) => this.#settleHere(sent, reply),
      first: () => choice.first(),
      ofKeys: (args) => choice.ofKeys(args),
    });
  }

  get outstanding(): number {
    return this.#replies.size;
  }

  get isSettling(): boolean {
    return this.#settling > 0;
  }

  forward(framer: RequestFramer, word: Word): void {
    const args = argumentsOf(framer);
    const bytes = framer.bytes.subarray(framer.start, framer.end);
    // Which reply SKIP leaves out is a matter of order, and shards answer in none.
    const isSettling = leavesRepliesOut({ word, args }) || this.#host.state.replyMode === 'skip-next';
    if (isSettling) this.#settling += 1;
    const sent: Sent = { word, args, bytes, place: this.#replies.take(), redirects: 0, isSettling };
    if (this.#transactions.isOpen && word !== 'quit' && word !== 'reset') this.#transactions.take(sent);
    else if (word === 'multi') this.#transactions.begin(sent);
    else if (concernsEveryShard(sent)) this.#toEveryShard(sent);
    else if (leavesRepliesOut(sent)) this.#send(this.#options.choice.first(), { ...sent, bytes: REPLY_ON });
    else this.#toItsShards(sent);
    if (word === 'sync' || word === 'psync') this.#becomeRaw();
  }

  forwardPart(): boolean {
    return false;
  }

  forwardRest(): void {
    // Never: parts are not taken here.
  }

  refuse(_framer: RequestFramer, error: string): void {
    this.#transactions.refuse();
    this.#replies.fill(this.#replies.take(), `-${error}\r\n`);
  }

  flush(): void {
    for (const link of this.#corked) link.uncork();
    this.#corked.clear();
  }

  ask(command: string, answered: (reply: string) => void, args?: readonly string[]): void {
    const place = this.#replies.take();
    const isWhole = args !== undefined;
    const sent: Sent = { ...unseen(command), args: args ?? [], place, answered, isWhole };
    const first = this.#options.choice.first();
    this.#send(isWhole ? (this.#shardOf(sent) ?? first) : first, sent);
    this.flush();
  }

  relay(chunk: Buffer): void {
    this.#links.get(this.#options.choice.first().id)?.write(chunk);
  }

  resume(): void {
    for (const link of this.#links.values()) link.resume();
  }

  close(): void {
    this.#isClosed = true;
    for (const link of this.#links.values()) link.close();
  }

  // --- where a command goes

  #toItsShards(sent: Sent): void {
    const { choice } = this.#options;
    const shard = this.#shardOf(sent);
    const spread = shard === null && sent.word === 'plain' ? choice.spread(sent.args) : null;
    if (spread === null) this.#send(shard ?? choice.first(), sent);
    else this.#spread(sent, spread);
  }

  /** Null for commands without keys. */
  #shardOf({ word, args }: Sent): Shard | null {
    const { choice } = this.#options;
    if ((word === 'ssubscribe' || word === 'sunsubscribe') && args.length > 1) return choice.ofKey(args[1] ?? '');
    if (word === 'unwatch') return this.#transactions.watchedShard;
    const shard = choice.ofKeys(args);
    if (word === 'watch' && shard !== null) this.#transactions.watch(shard);
    return shard;
  }

  #spread(sent: Sent, { shards, bytes = sent.bytes, gather }: Spread): void {
    const replies = new Map<Shard, Buffer>();
    for (const shard of shards) {
      const gathered = (reply: Buffer): void => {
        replies.set(shard, reply);
        if (replies.size < shards.length) return;
        const whole = gather(shards.map((each) => replies.get(each) as Buffer));
        this.#answerShown(sent, whole, headOf(whole));
      };
      this.#send(shard, { ...unseen(bytes), gathered });
    }
  }

  #toEveryShard(sent: Sent): void {
    const first = this.#options.choice.first();
    if (!sent.isSettling) this.#settling += 1;
    this.#send(first, { ...sent, isSettling: true });
    for (const link of this.#links.values()) if (link.shard.id !== first.id) this.#send(link.shard, unseen(sent.bytes));
    if (sent.word === 'reset') this.#transactions.forget();
  }

  #becomeRaw(): void {
    this.flush();
    this.#host.state.isRaw = true;
    this.#links.get(this.#options.choice.first().id)?.becomeRaw();
  }

  #send(shard: Shard, sent: Sent): void {
    const link = this.#links.get(shard.id) ?? this.#openLink(shard);
    link.cork();
    this.#corked.add(link);
    link.send(sent.bytes, sent);
  }

  #openLink(shard: Shard): ShardLink<Sent> {
    const link = new ShardLink<Sent>(shard, this.#options.endpointOf(shard), this);
    this.#links.set(shard.id, link);
    link.cork();
    this.#corked.add(link);
    for (const bytes of this.#host.state.replay()) {
      link.send(bytes, unseen(bytes));
    }
    return link;
  }

  // --- what comes back

  onFrame(link: ShardLink<Sent>, frame: Buffer): void {
    const { state } = this.#host;
    if (state.isRaw) {
      this.#toClient(frame);
      return;
    }
    const head = headOf(frame);
    const [sent] = link.waiting;
    if (sent && isSubscription(sent.word) && this.#confirmed(sent, head, frame)) {
      if (sent.left === 0) {
        link.waiting.shift();
        this.#answer(sent, Buffer.concat(sent.confirmed ?? []));
      }
    } else if (state.isStray(head)) {
      state.confirm(undefined, head);
      this.#toClient(frame);
    } else {
      link.waiting.shift();
      if (sent) this.#onReply({ sent, link }, frame, head);
    }
    if (this.outstanding === 0) this.#host.onIdle();
  }

  #confirmed(sent: Sent, head: string, frame: Buffer): boolean {
    const { state } = this.#host;
    if (head.startsWith('-') || head.startsWith('+')) return false;
    sent.left ??= state.confirmations(sent);
    if (!state.confirm(sent, head)) return false;
    sent.left -= 1;
    sent.confirmed ??= [];
    sent.confirmed.push(frame);
    return true;
  }

  #onReply({ sent, link }: { sent: Sent; link: ShardLink<Sent> }, frame: Buffer, head: string): void {
    sent.gathered?.(frame);
    if (sent.place === null || (this.#mayGoElsewhere(sent) && this.#goElsewhere({ sent, link }, head))) return;
    if (sent.answered) {
      sent.answered(sent.isWhole ? frame.toString('latin1') : head);
      this.#answer(sent, '');
      return;
    }
    this.#answerShown(sent, frame, head);
  }

  #mayGoElsewhere({ answered, isWhole }: Sent): boolean {
    return answered === undefined || isWhole === true;
  }

  /** True when the command was sent to another shard, or has its answer because it cannot be. */
  #goElsewhere({ sent, link }: { sent: Sent; link: ShardLink<Sent> }, head: string): boolean {
    const redirect = head.startsWith('-') ? this.#options.choice.redirect(head.slice(1), link.shard) : null;
    if (redirect === null) return false;
    if (this.#host.state.inMulti) {
      this.#answer(sent, CROSS_SLOT);
      return true;
    }
    if (sent.redirects >= MAX_REDIRECTS) return false;
    if (redirect.asking) this.#send(redirect.shard, unseen(encodeCommand(['ASKING'])));
    this.#send(redirect.shard, { ...sent, redirects: sent.redirects + 1 });
    this.flush();
    return true;
  }

  /** The reply is known; whether the client sees it is for CLIENT REPLY to say. */
  #answerShown(sent: Sent, reply: Buffer, head: string): void {
    this.#answer(sent, this.#host.state.settleHidden(sent, head) ? '' : reply);
  }

  #settleHere(sent: Sent, reply: string): void {
    this.#host.state.settle(sent, reply);
    this.#answer(sent, reply);
  }

  #answer(sent: Sent, reply: Buffer | string): void {
    if (sent.isSettling) this.#settling -= 1;
    if (sent.place !== null) this.#replies.fill(sent.place, reply);
  }

  #toClient(reply: Buffer | string): void {
    if (reply.length === 0 || this.#host.write(reply)) return;
    for (const link of this.#links.values()) link.pause();
  }

  onFull(isFull: boolean): void {
    this.#host.onUpstreamFull(isFull);
  }

  onClosed(link: ShardLink<Sent>, wasConnected: boolean): void {
    if (this.#links.get(link.shard.id) === link) this.#links.delete(link.shard.id);
    this.#corked.delete(link);
    if (this.#isClosed) return;
    const { state } = this.#host;
    state.user = null;
    if (state.irreplaceable || this.#transactions.isOpen) {
      this.#host.end();
      return;
    }
    const error = wasConnected ? LOST : UNREACHABLE;
    this.#host.onUpstreamFull(false);
    for (const sent of link.waiting.splice(0)) {
      sent.answered?.(error);
      sent.gathered?.(Buffer.from(error));
      this.#answer(sent, sent.answered ? '' : error);
    }
    if (this.outstanding === 0) this.#host.onIdle();
  }
}

function headOf(reply: Buffer): string {
  return reply.toString('latin1', 0, Math.min(reply.length, HEAD_BYTES));
}
