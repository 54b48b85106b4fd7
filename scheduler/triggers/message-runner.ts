import type { Logger } from 'pino';
import { type ActiveRegistration, defineScript, encodeBulk, type LoadableVersion, type RedisAccess } from '#functions';
import type { EndedEntries, FailedEntry, Invocation, Outcome } from '#runtime';
import { createBurialLog } from '../consumer/burial-log.ts';
import { type EventFilter, eventFilterOf } from '../consumer/event-filter.ts';
import { errorTitle } from '../consumer/failures.ts';
import type { PermitShare } from '../consumer/permit-share.ts';
import { deliveryModeOf } from '../consumer/registration.ts';
import type { DeadLetter } from '../delivery.ts';
import type { Journal } from '../journal/journal.ts';
import type { SchedulerKeys } from '../keys.ts';

/** A message on its way to a registration; all texts latin1. */
export interface Message {
  readonly channel: string;
  /** '' when the channel itself was subscribed to. */
  readonly pattern: string;
  readonly message: string;
  readonly heardAtMs: number;
}

export interface MessageRunnerOptions {
  readonly access: Pick<RedisAccess, 'client' | 'tagOf'>;
  readonly keys: Pick<SchedulerKeys, 'stats' | 'dead'>;
  readonly execute: (invocation: Invocation) => Promise<Outcome>;
  readonly journal: Pick<Journal, 'count'>;
  readonly deadLetterCap: number;
  readonly log: Logger;
}

/** One run of messages. */
export interface MessageRun {
  readonly active: ActiveRegistration;
  readonly target: LoadableVersion;
  /** The registration's stream (latin1): where its dead letters say they came from, and go when they are redriven. */
  readonly stream: string;
  readonly messages: readonly Message[];
  readonly signal: AbortSignal;
  /** Permits of its executions; null = they need none. */
  readonly share: PermitShare | null;
}

const END = defineScript('end-messages', new URL('./scripts/end-messages.lua', import.meta.url));

/** Runs messages from memory, each at most once: what fails goes to the dead letters, what is interrupted too. */
export function createMessageRunner(options: MessageRunnerOptions): (run: MessageRun) => Promise<void> {
  const { access, keys, execute, journal, deadLetterCap } = options;
  const tellOfDeaths = createBurialLog(options.log);

  async function record(run: MessageRun, ends: Ends): Promise<void> {
    const { id } = run.active.spec;
    const tag = access.tagOf(run.stream);
    const letters = ends.failed.map((failed) => letterOf(run, failed));
    tellOfDeaths(letters);
    const texts = letters.map(textsOf);
    const size = texts[0]?.length ?? 1;
    const args = [ends.done, ends.filtered, deadLetterCap, size, ...texts.flat()];
    await END.run(access.client, [keys.stats(tag, id), keys.dead(tag, id)], args);
  }

  return async (heard) => {
    const run = { ...heard, messages: wantedOf(heard) };
    const { share } = run;
    const { spec } = run.active;
    const keyed = spec.flow?.keyed === true;
    const ends: Ends = { done: 0, filtered: heard.messages.length - run.messages.length, failed: [] };
    if (run.messages.length === 0) return record(run, ends);
    const outcome = await execute({
      target: run.target,
      registrationIndex: spec.index,
      registrationId: spec.id,
      shape: 'stream',
      payload: payloadOf(run.messages),
      entryCount: run.messages.length,
      key: run.stream,
      hashtag: access.tagOf(run.stream),
      executionSize: spec.trigger.kind === 'pubsub' && !keyed ? spec.trigger.delivery.batch : 1,
      ordered: deliveryModeOf(spec) === 'sync',
      keyed,
      wantResults: false,
      onEnded: (ended) => {
        addEnds(ends, ended);
        share?.ended(ended);
      },
      signal: share === null ? run.signal : AbortSignal.any([run.signal, share.signal]),
    });
    const failures = Math.min(outcome.executions, ends.failed.length);
    const error = ends.failed.at(-1)?.error;
    journal.count(spec.id, {
      triggered: outcome.executions,
      success: outcome.executions - failures,
      failures,
      durationMs: outcome.durationMs,
      lagMs: Math.max(0, Date.now() - (run.messages[0]?.heardAtMs ?? Date.now()) - outcome.durationMs),
      lastError: error === undefined ? null : errorTitle(error),
    });
    await record(run, ends);
  };
}

/** What the registration's filter lets through. */
function wantedOf({ active, messages }: MessageRun): readonly Message[] {
  const filter = eventFilterOf(active.spec);
  if (filter === null) return messages;
  return messages.filter((message) => passes(filter, message));
}

export function passes({ accepts, fields }: EventFilter, message: Message): boolean {
  return accepts(fields.map((name) => message[name as 'channel' | 'pattern' | 'message']));
}

interface Ends {
  done: number;
  filtered: number;
  readonly failed: FailedEntry[];
}

function addEnds(ends: Ends, { done, filtered, failed }: EndedEntries): void {
  ends.done += done.length;
  ends.filtered += filtered.length;
  ends.failed.push(...failed);
}

/** Messages as the stream entries they would be, for the same parser. */
function payloadOf(messages: readonly Message[]): string {
  let text = `*${messages.length}\r\n`;
  for (const [index, message] of messages.entries()) {
    text += `*2\r\n${encodeBulk(`${message.heardAtMs}-${index}`)}${fieldsOf(message)}`;
  }
  return text;
}

function fieldsOf({ channel, pattern, message }: Message): string {
  return `*6\r\n$7\r\nchannel\r\n${encodeBulk(channel)}$7\r\npattern\r\n${encodeBulk(pattern)}$7\r\nmessage\r\n${encodeBulk(message)}`;
}

function letterOf({ active, target, stream, messages }: MessageRun, { index, error }: FailedEntry): DeadLetter {
  const message = messages[index] as Message;
  return {
    entryId: `${message.heardAtMs}-${index}`,
    stream,
    registrationId: active.spec.id,
    functionName: active.functionName,
    version: target.version,
    attempts: 1,
    reason: 'policy',
    errorCode: error.code,
    errorMessage: error.message,
    errorStack: error.stack,
    payload: fieldsOf(message),
    diedAtMs: Date.now(),
  };
}

/** Fields and values as they are stored: names of streams and payloads are bytes. */
function textsOf({ stream, payload, ...texts }: DeadLetter): (string | Buffer)[] {
  const pairs = Object.entries(texts).flatMap(([name, value]) => [name, String(value)]);
  return [...pairs, 'stream', Buffer.from(stream, 'latin1'), 'payload', Buffer.from(payload, 'latin1')];
}
