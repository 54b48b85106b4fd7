import { type CommandPipe, replyStarts } from '#functions';
import type { CommandPolicy, EffectRound, Effects, Refusal } from './binding.ts';
import { commandStarts } from './command-scan.ts';

export interface EffectsOptions {
  /** Closed together with the effects. */
  readonly pipe: CommandPipe;
  readonly policy: CommandPolicy;
}

const GROUP_REFUSED = '-EXECABORT the whole atomic group was not sent, because one of its commands was not\r\n';
const WITHHELD = '-CANCELLED the event had been given up before this command was sent\r\n';

/** Commands of guests on their way to Redis; policy stands in front. */
export function createEffects(options: EffectsOptions): Effects {
  const { pipe } = options;
  return {
    send(round, policy = options.policy) {
      const refusals = policy.check(round.commands, round.count);
      if (refusals === null && round.withheld === null) {
        return pipe.send(round.commands, round.count, round.groups);
      }
      return sendRest(pipe, round, refusedReplies(round, refusals ?? []));
    },
    [Symbol.asyncDispose]: () => pipe[Symbol.asyncDispose](),
  };
}

/** Sends what was not refused and puts the errors where the replies of the others would be. */
async function sendRest(pipe: CommandPipe, round: EffectRound, refused: ReadonlyMap<number, string>): Promise<string> {
  const starts = commandStarts(round.commands, round.count);
  const moved = new Int32Array(round.count);
  let text = '';
  let sent = 0;
  for (let position = 0; position < round.count; position += 1) {
    if (refused.has(position)) continue;
    moved[position] = sent;
    sent += 1;
    text += round.commands.slice(starts[position], starts[position + 1]);
  }
  const groups = round.groups
    .filter(([first]) => !refused.has(first))
    .map(([first, last]) => [moved[first] ?? 0, moved[last] ?? 0] as const);
  const replies = sent === 0 ? '' : await pipe.send(text, sent, groups);
  return woven(replies, sent, { refused, count: round.count });
}

/** The error of each position that is not sent. A group with one such command is not sent at all, and all of it says why. */
function refusedReplies(round: EffectRound, refusals: readonly Refusal[]): ReadonlyMap<number, string> {
  const refused = new Map(refusals.map((refusal) => [refusal.position, refusal.reply]));
  for (const position of round.withheld ?? []) refused.set(position, WITHHELD);
  const own = [...refused.keys()];
  for (const [first, last] of round.groups) {
    const cause = own.find((position) => position >= first && position <= last);
    if (cause === undefined) continue;
    const reply = refusals.find(({ position }) => position === cause)?.reply ?? GROUP_REFUSED;
    for (let position = first; position <= last; position += 1) {
      if (!refused.has(position)) refused.set(position, reply);
    }
  }
  return refused;
}

interface Weave {
  readonly refused: ReadonlyMap<number, string>;
  readonly count: number;
}

function woven(replies: string, sent: number, weave: Weave): string {
  const starts = replyStarts(replies, sent);
  let text = '';
  let next = 0;
  for (let position = 0; position < weave.count; position += 1) {
    const error = weave.refused.get(position);
    if (error !== undefined) {
      text += error;
      continue;
    }
    text += replies.slice(starts[next], starts[next + 1]);
    next += 1;
  }
  return text;
}
