import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { Endpoint } from '#functions';
import type { Word } from './command-words.ts';
import type { ConnectionState } from './connection-state.ts';
import { splitInline } from './inline.ts';
import { type RequestFramer, readArguments } from './request-framer.ts';

/** What a passage needs of the client's side. */
export interface PassageHost {
  readonly state: ConnectionState;
  /** Sends to the client. False: its buffers are full, `resume` follows when they have room again. */
  write(data: Buffer | string): boolean;
  /** Nothing is outstanding any more. */
  onIdle(): void;
  /** Redis does not take more at the moment (true), or does again. */
  onUpstreamFull(isFull: boolean): void;
  /** The connection cannot go on: its state is lost, or Redis ended it. What was written is still delivered. */
  end(): void;
}

/** A client's way to the Redis behind the door, on connections of its own. */
export interface Passage {
  /** Replies that have not come yet. While it is 0, replies of our own may be written. */
  readonly outstanding: number;
  /** True while a command is under way that later ones must not overtake on their way to another shard. */
  readonly isSettling: boolean;
  /** Takes the complete request that the framer stands on; it leaves with `flush`. */
  forward(framer: RequestFramer, word: Word): void;
  /** Lets what has come of an unfinished plain request go ahead. False: this passage wants it whole. */
  forwardPart(framer: RequestFramer, isFirst: boolean): boolean;
  /** The end of a request whose begin went ahead. */
  forwardRest(framer: RequestFramer): void;
  /** Answers a request of ours that came inside MULTI with `error`, so that the transaction is refused as a whole. */
  refuse(framer: RequestFramer, error: string): void;
  flush(): void;
  /**
   * Asks Redis something on the client's connection; the reply is not shown to the client. It is the first 4 kB, with `args` (the
   * command once more) all of it, from wherever the command has to go.
   */
  ask(command: string, answered: (reply: string) => void, args?: readonly string[]): void;
  /** Raw bytes, once the connection is no RESP any more. */
  relay(chunk: Buffer): void;
  /** The client's buffers have room again. */
  resume(): void;
  close(): void;
}

export const LOST = '-ERR upstream connection lost\r\n';
/** Not sent, so trying again is safe: the code clients know for it. */
export const UNREACHABLE = '-LOADING Redis behind this door is not reachable, try again\r\n';

const CONNECT_TIMEOUT_MS = 5_000;

/** Opens a socket to a shard, not authenticated. An attempt that takes longer than 5 s ends as an error. */
export function openSocket(endpoint: Endpoint): Socket {
  const { tls, ...where } = endpoint;
  const socket = tls ? connectTls({ ...where, ...tls }) : connectTcp(where as { port: number });
  socket.setNoDelay(true);
  socket.setTimeout(CONNECT_TIMEOUT_MS, () => socket.destroy());
  socket.once(tls ? 'secureConnect' : 'connect', () => socket.setTimeout(0));
  return socket;
}

/** Arguments of the framer's complete request, inline or not. Empty for an inline request with unbalanced quotes. */
export function argumentsOf(framer: RequestFramer): readonly string[] {
  if (!framer.isInline) return readArguments(framer);
  return splitInline(framer.bytes.toString('latin1', framer.start, framer.end)) ?? [];
}

/** Arguments as far as a note needs them: of an XADD only the key. */
export function notableArguments(framer: RequestFramer, word: Word): readonly string[] {
  if (word !== 'xadd' || framer.isInline || framer.count < 2) return argumentsOf(framer);
  const { bytes } = framer;
  let at = framer.nameEnd + 3;
  let length = 0;
  for (; bytes[at] !== 13; at += 1) length = length * 10 + ((bytes[at] as number) - 48);
  return ['xadd', bytes.toString('latin1', at + 2, at + 2 + length)];
}
