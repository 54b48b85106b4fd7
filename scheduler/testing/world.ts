import { createSinglePipe, PlatformError, type RedisAccess, STANDALONE_TAG, slotOfKey } from '#functions';
import type { RuntimeRedis } from '#runtime';
import type { SchedulerErrorCode } from '../errors.ts';
import type { TestRedis } from './redis/test-redis.ts';
import { offlineCommandTable } from './replies/command-facts.ts';
import { createRecordedLink } from './replies/recorded-link.ts';
import { answerOf, type ReplyRules } from './replies/reply-rules.ts';

/** What commands of a function reach: a server, or replies that a test gives. */
export interface World {
  readonly redis: RuntimeRedis;
  /** Null where there is no server. */
  readonly access: RedisAccess | null;
  tagOf(key: string): string;
  /** Throws REPLY_MISSING when a command since the last time had no reply, and names them. */
  assertComplete(): void;
}

export function redisWorld({ access }: TestRedis): World {
  return { redis: access, access, tagOf: (key) => access.tagOf(key), assertComplete: () => {} };
}

const NOWHERE = { id: 'single', host: 'recorded', port: 0 } as const;

/** A world without a server. */
export function recordedWorld(rules: ReplyRules): World {
  const answer = answerOf(rules);
  let missing: string[] = [];
  const openLink = () => createRecordedLink({ answer, onMissing: (command) => missing.push(command) });
  return {
    access: null,
    redis: {
      facts: {
        product: 'redis',
        version: 'recorded',
        topology: 'single',
        evictionPolicy: null,
        aofEnabled: null,
        rdbEnabled: null,
        notifications: null,
        aclDryRun: false,
      },
      commands: offlineCommandTable(),
      shards: () => [NOWHERE],
      shardOf: () => NOWHERE,
      slotOf: slotOfKey,
      openRaw: openLink,
      openPipe: () => createSinglePipe(openLink()),
    },
    tagOf: () => STANDALONE_TAG,
    assertComplete() {
      if (missing.length === 0) return;
      const commands = [...new Set(missing)];
      missing = [];
      throw new PlatformError<SchedulerErrorCode>(
        'REPLY_MISSING',
        `the test gives no reply for ${commands.join(', ')}; add one to \`replies\`, or record it from a real Redis`,
        { details: { commands } },
      );
    },
  };
}
