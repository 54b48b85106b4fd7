import { createHash, randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { defineScript, PlatformError, type RedisAccess } from '#functions';
import type { SchedulerErrorCode } from '../../errors.ts';
import type { SchedulerKeys } from '../../keys.ts';

/** What a call came to. */
export interface CallAnswer {
  /** RESP2, latin1; may be an error. */
  readonly reply: string;
  readonly durationMs: number;
}

export interface IdempotentCall {
  /** What the client calls it. */
  readonly key: string;
  /** Whose key it is: another one's same key is another key. */
  readonly scope: string;
  /** Everything that makes the call what it is. */
  readonly call: string;
  /** Aborted: nobody waits any more; a call that runs goes on. */
  readonly signal: AbortSignal;
  run(): Promise<CallAnswer>;
  /** True for an answer that says that nothing has run, so that the key is free again. */
  hasNotRun(answer: CallAnswer): boolean;
}

/** Runs a call once per key, on whatever node it is asked for. */
export interface Idempotency {
  /**
   * `replayed`: it had run, or ran, for somebody else. Errors: IDEMPOTENCY_MISMATCH; CALL_INTERRUPTED when the node it ran on has
   * died; what the signal was aborted with.
   */
  once(call: IdempotentCall): Promise<CallAnswer & { readonly replayed: boolean }>;
}

export interface IdempotencyOptions {
  readonly access: Pick<RedisAccess, 'client'>;
  readonly keys: Pick<SchedulerKeys, 'idempotency'>;
  readonly keepMs: number;
  /** Without a sign of life for so long the node of a call counts as dead, ms. Default 10000. */
  readonly lifeMs?: number;
}

const FIRST_PAUSE_MS = 20;
const LONGEST_PAUSE_MS = 250;

export function createIdempotency({ access, keys, keepMs, lifeMs = 10_000 }: IdempotencyOptions): Idempotency {
  const { client } = access;
  const beginCall = defineScript('begin-call', new URL('./scripts/begin-call.lua', import.meta.url));
  const endCall = defineScript('end-call', new URL('./scripts/end-call.lua', import.meta.url));

  async function begin(record: string, owner: string, call: string): Promise<readonly (string | null)[]> {
    const reply = await beginCall.run(client, [record], [owner, call, lifeMs, keepMs]);
    return reply as readonly (string | null)[];
  }

  /** Runs it to its end, whoever still waits. Null: it has been given up as interrupted meanwhile. */
  async function runOwn(record: string, owner: string, wish: IdempotentCall): Promise<CallAnswer | null> {
    const say = async (args: readonly (string | number)[]): Promise<boolean> =>
      (await endCall.run(client, [record], [owner, ...args])) === 1;
    // A sign that could not be given is given with the next one.
    const beating = setInterval(() => void say(['alive', lifeMs]).catch(() => undefined), lifeMs / 4);
    try {
      const answer = await wish.run();
      const stored = Buffer.from(answer.reply, 'latin1').toString('base64');
      const isOurs = wish.hasNotRun(answer)
        ? await say(['release', 0])
        : await say(['done', keepMs, stored, answer.durationMs]);
      return isOurs ? answer : null;
    } catch (error) {
      await say(['release', 0]);
      throw error;
    } finally {
      clearInterval(beating);
    }
  }

  return {
    async once(wish) {
      const record = keys.idempotency(hashOf(JSON.stringify([wish.scope, wish.key])));
      const call = hashOf(wish.call);
      const owner = randomUUID();
      for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(LONGEST_PAUSE_MS, pauseMs * 2)) {
        const known = await begin(record, owner, call);
        if (known[0] === 'run') {
          const answer = await until(wish.signal, runOwn(record, owner, wish));
          if (answer !== null) return { ...answer, replayed: false };
        } else if (known[0] !== 'wait') return { ...settled(wish.key, known), replayed: true };
        await sleep(pauseMs, undefined, { signal: wish.signal }).catch(() => wish.signal.throwIfAborted());
      }
    },
  };
}

/** What has become of a call that nobody runs any more. */
function settled(key: string, [state, reply, durationMs]: readonly (string | null)[]): CallAnswer {
  if (state === 'mismatch') throw mismatch(key);
  if (state === 'interrupted') throw interrupted(key);
  return { reply: Buffer.from(reply ?? '', 'base64').toString('latin1'), durationMs: Number(durationMs) };
}

/** The work goes on when the signal is aborted; its later failure is nobody's. */
async function until<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  const given = Promise.withResolvers<never>();
  const onAbort = (): void => given.reject(signal.reason);
  if (signal.aborted) onAbort();
  signal.addEventListener('abort', onAbort, { once: true });
  work.catch(() => undefined);
  try {
    return await Promise.race([work, given.promise]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

function hashOf(text: string): string {
  return createHash('sha256').update(text, 'utf8').digest('hex');
}

function mismatch(key: string): PlatformError<SchedulerErrorCode> {
  const message = `Idempotency-Key "${key.slice(0, 100)}" was used for another call; take a new one`;
  return new PlatformError('IDEMPOTENCY_MISMATCH', message);
}

function interrupted(key: string): PlatformError<SchedulerErrorCode> {
  const message = `the node on which the call of Idempotency-Key "${key.slice(0, 100)}" ran has died; it may have run in part`;
  return new PlatformError('CALL_INTERRUPTED', message);
}
