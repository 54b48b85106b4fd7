import { defineScript, latin1FromUtf8, type RateLimit, type RedisAccess, type Script } from '#functions';
import type { SchedulerKeys } from '../keys.ts';

const TAKE = defineScript('take-tokens', new URL('./scripts/take-tokens.lua', import.meta.url));

/** What a bucket gave, and when it will have more. */
export interface TokensTaken {
  readonly taken: number;
  /** When fewer were taken than wanted: ms until the least is there again. */
  readonly waitMs: number;
}

export interface TokenRequest {
  readonly registrationId: string;
  readonly rate: RateLimit;
  readonly wanted: number;
  /** Fewer are not worth taking; what is given is a multiple of it, or all that was wanted. Default 1. */
  readonly least?: number;
}

export interface TokenBucketOptions {
  /** Runs a script; keys and arguments are latin1. */
  readonly run: (script: Script, keys: readonly string[], args: readonly string[]) => Promise<unknown>;
  readonly keys: Pick<SchedulerKeys, 'rate'>;
  readonly access: Pick<RedisAccess, 'tagOf'>;
}

/** The buckets of registrations with a rate, one each for the whole fleet. Rejects as `run` does. */
export function createTokenBucket({ run, keys, access }: TokenBucketOptions) {
  return async ({ registrationId, rate, wanted, least = 1 }: TokenRequest): Promise<TokensTaken> => {
    const id = latin1FromUtf8(registrationId);
    const worth = Math.min(least, wanted, rate.count);
    const args = [wanted, worth, rate.count, rate.perMs].map(String);
    const reply = await run(TAKE, [keys.rate(access.tagOf(id), id)], args);
    const [taken = 0, waitMs = 0] = reply as readonly number[];
    return { taken, waitMs };
  };
}

export type TokenBucket = ReturnType<typeof createTokenBucket>;

/** A bucket for those who only ask now and then: over the client that everybody shares. */
export function createSharedTokenBucket(
  options: Pick<TokenBucketOptions, 'keys'> & { readonly access: Pick<RedisAccess, 'tagOf' | 'client'> },
): TokenBucket {
  const { access, keys } = options;
  const bytes = (text: string): Buffer => Buffer.from(text, 'latin1');
  return createTokenBucket({
    access,
    keys,
    run: (script, names, args) => script.run(access.client, names.map(bytes), args),
  });
}
