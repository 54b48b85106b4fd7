import {
  argsOf,
  createCommandScan,
  decodeReplies,
  decodeReply,
  isReplyError,
  type ReplyValue,
  scanCommand,
} from '#functions';
import type { GuestLine, Invocation } from '#runtime';

/** A command that a function caused; bytes are latin1. */
export interface TrialCommand {
  readonly args: readonly string[];
  readonly reply: ReplyValue;
}

export interface TrialRecord {
  readonly commands: readonly TrialCommand[];
  /** Those beyond what is kept. */
  readonly commandsDropped: number;
  readonly logs: readonly GuestLine[];
}

/** Writes down what an invocation does to the world. */
export interface TrialRecorder {
  readonly around: NonNullable<Invocation['around']>;
  /** A hooked command is written down and goes nowhere. */
  readonly handOn: NonNullable<Invocation['next']>;
  readonly logs: NonNullable<Invocation['onLogs']>;
  record(): TrialRecord;
}

const MOST_COMMANDS = 1_000;
const MOST_LINES = 1_000;
/** Of a text that is shown. */
const MOST_CHARS = 16_384;
const MOST_ITEMS = 1_000;
const TAKEN = '+OK\r\n';

/** @param redact takes out of a text what nobody is to read. */
export function createTrialRecorder(redact: (text: string) => string): TrialRecorder {
  const commands: TrialCommand[] = [];
  const logs: GuestLine[] = [];
  let commandsDropped = 0;

  const note = (text: string, replies: readonly ReplyValue[]): void => {
    const scan = createCommandScan();
    let from = 0;
    for (const reply of replies) {
      if (scanCommand(text, from, scan) === null) return;
      from = scan.end;
      if (commands.length < MOST_COMMANDS) {
        const args = argsOf(text, scan).slice(0, MOST_ITEMS);
        commands.push({ args: args.map((arg) => shortened(redact(arg))), reply: shortenedReply(reply, redact) });
      } else commandsDropped += 1;
    }
  };

  return {
    async around(text, _count, send) {
      const replies = await send();
      note(text, decodeReplies(replies));
      return replies;
    },
    async handOn(_entry, command) {
      note(command, [decodeReply(TAKEN)]);
      return TAKEN;
    },
    logs(lines) {
      for (const { level, message } of lines.slice(0, MOST_LINES - logs.length)) {
        logs.push({ level: String(level), message: shortened(String(message)) });
      }
    },
    record: () => ({ commands, commandsDropped, logs }),
  };
}

function shortened(text: string): string {
  return text.length <= MOST_CHARS ? text : `${text.slice(0, MOST_CHARS)} (${text.length - MOST_CHARS} more)`;
}

function shortenedReply(reply: ReplyValue, redact: (text: string) => string): ReplyValue {
  if (typeof reply === 'string') return shortened(redact(reply));
  if (reply === null || typeof reply === 'number') return reply;
  if (isReplyError(reply)) return { ...reply, message: redact(reply.message) };
  return reply.slice(0, MOST_ITEMS).map((item) => shortenedReply(item, redact));
}
