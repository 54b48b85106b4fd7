import type { Socket } from 'node:net';
import type { Interception } from '../../triggers/interception.ts';
import { ClientOutput } from './client-output.ts';
import { type Word, wordOf, wordOfName } from './command-words.ts';
import { ConnectionState } from './connection-state.ts';
import type { DoorParts } from './door-parts.ts';
import { Gatekeeper } from './gatekeeper.ts';
import { Interceptor } from './interceptor.ts';
import { type OwnCommand, refusalInMulti } from './own-commands.ts';
import { OwnReplies } from './own-replies.ts';
import { argumentsOf, type Passage, type PassageHost } from './passage.ts';
import { Framed, RequestFramer } from './request-framer.ts';
import { RequestPump, type Wait } from './request-pump.ts';

/** Calls of one client in work at once; more wait in its pipeline. */
const MAX_CALLS = 1_024;
const HALF_OPEN_MS = 5_000;

/**
 * One client. Its requests are taken one after another; those for Redis and those for us alternate in phases, and a phase
 * begins when every reply of the one before has left. So replies keep their order, and a command sees the effects of those
 * before it, as on one Redis connection. Within a phase nothing waits.
 */
export class ClientConnection implements PassageHost {
  readonly state: ConnectionState;
  readonly #socket: Socket;
  readonly #parts: DoorParts;
  readonly #framer: RequestFramer;
  readonly #passage: Passage;
  readonly #gatekeeper: Gatekeeper;
  readonly #interceptor: Interceptor;
  readonly #output: ClientOutput;
  readonly #gone = new AbortController();
  readonly #queue: OwnReplies;
  #phase: 'pass' | 'calls' | 'operation' = 'pass';
  readonly #waits = new Set<Wait>();
  readonly #pump: RequestPump;
  #isMidRequest = false;
  /** The connection closes as soon as nothing is outstanding. */
  #isEnding = false;
  #hasQuit = false;

  constructor(socket: Socket, parts: DoorParts) {
    this.#socket = socket;
    this.#parts = parts;
    this.#framer = new RequestFramer(parts.limits.stranger);
    this.state = new ConnectionState(parts.ring);
    this.#passage = parts.openPassage(this);
    this.#output = new ClientOutput({ socket, maxBytes: parts.settings.maxOutputBytes, log: parts.log });
    this.#gatekeeper = new Gatekeeper({ ...parts, state: this.state, passage: this.#passage });
    this.#queue = new OwnReplies({ state: this.state, output: this.#output, onWritten: () => this.#afterAnswers() });
    const asksPassword = parts.limits.stranger.unauthenticated;
    this.#interceptor = new Interceptor({ ...parts, state: this.state, passage: this.#passage, asksPassword });
    this.#pump = new RequestPump({
      ...{ socket, waits: this.#waits },
      step: () => !this.#hasQuit && this.#step(),
      flush: () => this.#passage.flush(),
      isIdle: () => this.#pending === 0,
    });
    socket.on('data', (chunk) => this.#onData(chunk));
    socket.on('drain', () => this.#onDrain());
    socket.on('end', () => this.#onClientEnd());
    // `close` follows.
    socket.on('error', () => {});
    socket.on('close', () => {
      this.#gone.abort();
      this.#passage.close();
    });
  }

  /** Lets the requests in work answer, then closes; at once when there are none. */
  finish(): void {
    if (this.#pending === 0) this.end();
    else this.#isEnding = true;
  }

  destroy(): void {
    this.#socket.destroy();
  }

  // --- the passage's view of this connection

  write(data: Buffer | string): boolean {
    const hasRoom = this.#output.write(data);
    if (!hasRoom && this.#output.isFull) this.#waits.add('client reads');
    return hasRoom;
  }

  onIdle(): void {
    if (this.#pending === 0) this.#waits.delete('replies');
    this.#goOn();
  }

  onUpstreamFull(isFull: boolean): void {
    if (isFull) this.#waits.add('upstream reads');
    else if (this.#waits.delete('upstream reads')) this.#goOn();
  }

  end(): void {
    this.#isEnding = true;
    this.#output.flush();
    this.#socket.end();
    this.#passage.close();
    this.#closeLater();
  }

  // --- requests

  /** Replies that the client still waits for. */
  get #pending(): number {
    return this.#passage.outstanding + this.#queue.size;
  }

  #onData(chunk: Buffer): void {
    if (this.state.isRaw) {
      this.#passage.relay(chunk);
      return;
    }
    const { authenticated, stranger } = this.#parts.limits;
    this.#framer.limits = this.state.authenticated ? authenticated : stranger;
    this.#framer.feed(chunk);
    this.#goOn();
  }

  #goOn(): void {
    if (!this.#pump.run()) return;
    if (this.#isEnding && this.#pending === 0 && this.#waits.size === 0 && this.#socket.writable) this.end();
  }

  /** Takes the next request. False: there is none, or it must wait. */
  #step(): boolean {
    const framer = this.#framer;
    switch (framer.next()) {
      case Framed.request:
        return this.#take(framer.isInline ? wordOfName(argumentsOf(framer)[0] ?? '') : wordOf(framer));
      case Framed.nothing:
        return true;
      case Framed.rest:
        this.#isMidRequest = false;
        this.#passage.forwardRest(framer);
        return true;
      case Framed.incomplete:
        this.#takePart();
        return false;
      default:
        this.#breakOff(`-${framer.error}\r\n`);
        return false;
    }
  }

  #take(word: Word): boolean {
    if (word === 'own') return this.#takeOwn();
    const interception = this.#interceptor.find(this.#framer, word);
    if (interception !== null) {
      if (this.#pending > 0) return this.#putBack();
      if (this.#interceptor.mayRun) return this.#intercept(interception);
    }
    if (this.#queue.size > 0 || this.#passage.isSettling) return this.#putBack();
    this.#phase = 'pass';
    this.#passage.forward(this.#framer, word);
    if (word === 'quit') this.#hasQuit = this.#isEnding = true;
    return !this.state.isRaw;
  }

  #intercept(interception: Interception): boolean {
    this.#phase = 'operation';
    this.#interceptor.run(interception, this.#queue.expect());
    return true;
  }

  #putBack(): boolean {
    this.#framer.unread();
    this.#waits.add('replies');
    return false;
  }

  /** A long request for Redis goes ahead as it comes; everything else is kept until it is whole. */
  #takePart(): void {
    const framer = this.#framer;
    if (framer.nameKnown && !framer.isInline) {
      const word = this.#isMidRequest ? 'plain' : wordOf(framer);
      if (this.#interceptor.mayGoAhead(framer, word)) {
        if (this.#queue.size > 0) {
          this.#waits.add('replies');
          return;
        }
        this.#phase = 'pass';
        if (this.#passage.forwardPart(framer, !this.#isMidRequest)) {
          this.#isMidRequest = true;
          return;
        }
      }
    }
    if (framer.pendingBytes > this.#parts.settings.maxOutputBytes) {
      this.#breakOff('-ERR Protocol error: too big request, see setting door-max-output\r\n');
    }
  }

  /** Ends the connection with an error, after the replies that are still to come. */
  #breakOff(error: string): void {
    if (this.#pending > 0 && !this.#isMidRequest) {
      this.#waits.add('replies');
      return;
    }
    const client = this.#socket.remoteAddress;
    this.#parts.log.info({ client, error: error.trim() }, 'closing a client that broke the protocol');
    this.write(error);
    this.end();
  }

  // --- requests of our own

  #takeOwn(): boolean {
    if (this.#passage.outstanding > 0) return this.#putBack();
    const { state } = this;
    const command = this.#parts.own.parse(this.#framer);
    if (state.inMulti) {
      this.#passage.refuse(this.#framer, refusalInMulti(command));
      return true;
    }
    if (!this.#mayStart(command)) return this.#putBack();
    const verdict = this.#gatekeeper.judge(command);
    if (verdict.kind === 'run') return this.#run(command);
    if (verdict.kind === 'answer') return this.#answer(verdict.reply);
    return this.#waitFor(verdict.prepare);
  }

  #mayStart(command: OwnCommand): boolean {
    if (this.#queue.size === 0) return true;
    if (command.kind !== 'call' || this.#phase !== 'calls') return false;
    return this.#queue.size < MAX_CALLS && !this.#output.owesMuch;
  }

  #run(command: OwnCommand): boolean {
    this.#phase = command.kind === 'call' ? 'calls' : 'operation';
    const { user, protocol } = this.state;
    const caller = { user: user ?? 'default', protocol, signal: this.#gone.signal };
    const bytes = command.kind === 'call' ? command.args.length : 0;
    this.#parts.own.run(command, caller, this.#output.owe(bytes, this.#queue.expect()));
    return true;
  }

  #answer(reply: string): boolean {
    this.#queue.expect()(reply);
    return true;
  }

  /** Puts the request back until `prepare` is done. */
  #waitFor(prepare: (done: () => void) => void): boolean {
    if (this.#queue.size > 0) return this.#putBack();
    this.#framer.unread();
    this.#waits.add('grant');
    prepare(() => {
      this.#waits.delete('grant');
      this.#goOn();
    });
    return false;
  }

  // --- replies

  #afterAnswers(): void {
    if (this.#output.isFull) this.#waits.add('client reads');
    if (this.#pending === 0 || (this.#phase === 'calls' && this.#queue.size < MAX_CALLS / 2)) {
      this.#waits.delete('replies');
      this.#goOn();
    }
  }

  #onDrain(): void {
    this.#waits.delete('client reads');
    this.#passage.resume();
    this.#goOn();
  }

  // --- the end

  #onClientEnd(): void {
    if (this.#pending === 0 || this.state.irreplaceable) {
      this.end();
      return;
    }
    this.#isEnding = true;
    this.#closeLater();
  }

  #closeLater(): void {
    setTimeout(() => this.destroy(), HALF_OPEN_MS).unref();
  }
}
