import type { RedisAccess, Shard } from '#functions';
import type { Noted } from './connection-state.ts';
import { type Spread, spreadOf } from './spread.ts';

/** Which shard a command goes to. One per door: what one client learns from MOVED serves all. */
export interface ShardChoice {
  /** The shard of the command's first key; null for commands without keys. */
  ofKeys(args: readonly string[]): Shard | null;
  ofKey(key: string): Shard;
  first(): Shard;
  /** For commands without keys that ask more than the first shard. */
  spread(args: readonly string[]): Spread | null;
  /** Takes a MOVED or ASK line (`MOVED 3999 host:port`) into account and says where to go; null if it is neither. */
  redirect(line: string, from: Shard): Redirect | null;
}

export interface Redirect {
  readonly shard: Shard;
  /** ASK: for this one command only, with ASKING before it. */
  readonly asking: boolean;
}

type AccessPart = Pick<RedisAccess, 'shards' | 'shardOf' | 'slotOf' | 'commands' | 'onTopologyChange'>;

export function createShardChoice(access: AccessPart): ShardChoice {
  const moved = new Map<number, Shard>();
  access.onTopologyChange(() => moved.clear());
  const ofKey = (key: string): Shard =>
    (moved.size > 0 ? moved.get(access.slotOf(key)) : undefined) ?? access.shardOf(key);
  const first = (): Shard => access.shards()[0] as Shard;
  return {
    ofKey,
    first,
    spread: (args) => spreadOf(args, access.commands.find(args[0] ?? '', args[1]), access.shards()),
    ofKeys(args) {
      const [key] = access.commands.keysOf(args);
      return key === undefined ? null : ofKey(key);
    },
    redirect(line, from) {
      const found = /^(MOVED|ASK) (\d+) (.*):(\d+)/.exec(line);
      if (found === null) return null;
      const host = found[3] === '' ? from.host : (found[3] as string);
      const port = Number(found[4]);
      const known = access.shards().find((shard) => shard.host === host && shard.port === port);
      const shard = known ?? { id: `${host}:${port}`, host, port };
      if (found[1] === 'MOVED') moved.set(Number(found[2]), shard);
      return { shard, asking: found[1] === 'ASK' };
    },
  };
}

/** Commands that change the connection itself: every shard's connection must hear them. */
export function concernsEveryShard({ word, args }: Noted): boolean {
  if (word === 'auth' || word === 'hello' || word === 'reset' || word === 'readonly' || word === 'readwrite')
    return true;
  const sub = args[1]?.toLowerCase();
  return word === 'client' && ['setname', 'setinfo', 'no-evict', 'no-touch', 'tracking'].includes(sub ?? '');
}
