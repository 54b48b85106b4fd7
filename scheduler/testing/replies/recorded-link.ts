import { argsOf, createCommandScan, PlatformError, type RawLink, scanCommand } from '#functions';
import { encodeReply, showCommand, textOf } from '../values.ts';
import type { Answer } from './reply-rules.ts';

export interface RecordedLinkOptions {
  readonly answer: Answer;
  /** Told of every command for which there is no reply. */
  readonly onMissing: (command: string) => void;
}

const OK = '+OK\r\n';

/** A connection to no server: transactions work as they do on one, everything else is answered from what was given. */
export function createRecordedLink({ answer, onMissing }: RecordedLinkOptions): RawLink {
  let queued: (() => string)[] | null = null;

  function replyTo(args: readonly string[]): string {
    const [name = '', ...rest] = args;
    const values = rest.map(textOf);
    const upper = name.toUpperCase();
    const reply = answer(upper, values);
    if (reply !== undefined) return encodeReply(reply);
    const command = showCommand(upper, values);
    onMissing(command);
    return encodeReply(new Error(`REPLY_MISSING the test gives no reply for ${command}`));
  }

  function take(args: readonly string[]): string {
    const name = args[0]?.toUpperCase();
    if (name === 'WATCH' || name === 'UNWATCH') return OK;
    if (name === 'MULTI') {
      queued = [];
      return OK;
    }
    if (name === 'EXEC') {
      const replies = (queued ?? []).map((run) => run());
      queued = null;
      return `*${replies.length}\r\n${replies.join('')}`;
    }
    if (queued === null) return replyTo(args);
    queued.push(() => replyTo(args));
    return '+QUEUED\r\n';
  }

  return {
    async send(commands, replies) {
      const scan = createCommandScan();
      let text = '';
      let at = 0;
      for (let position = 0; position < replies; position += 1) {
        scanCommand(commands, at, scan);
        text += take(argsOf(commands, scan));
        at = scan.end;
      }
      return text;
    },
    read: async () => {
      throw new PlatformError('REDIS_LINK_LOST', 'there is no server to read from');
    },
    connected: true,
    onReady: () => () => {},
    reset: () => {},
    [Symbol.asyncDispose]: async () => {},
  };
}
